// Package hooks notifies accounts of what they asked for: by webhooks, signed as Standard Webhooks describes, and by mail.
//
// A hook has events: conditions on prices of a delivery date, a delivery date that is complete, values that were revised, a
// dataset that is late. Service reads what each commit changed (package events), judges the conditions on the rows as they
// were after that commit, and stores what has to be sent in the transaction that stores how far it has judged. So a kill
// loses nothing and queues nothing twice. Whether a dataset is late depends on the clock too: what was announced last is
// stored with what is sent for it.
//
// Deliveries are sent at least once, with the same webhook-id at each attempt, for about 24 h; then the hook is disabled.
// Before each attempt Service checks what the owner may read. It connects only to addresses that are globally reachable,
// which it checks after the name was resolved, at each connection.
package hooks
