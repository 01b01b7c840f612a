// Package events turns what commits changed into events, for all that follows the data: the stream and webhooks.
//
// After reads the commits after a position: of each, in the order of the datasets, which rows are new or have changed (the rows
// themselves, if they are few), which values were revised, and which delivery dates are complete since then. It gives the same for a
// commit whenever it is called, as long as the store lists the commit's changes (7 days); so a follower that stores the last position
// that it has dealt with misses nothing and gets nothing twice.
//
// StateChanges compares two reports. States depend on the clock too, so they have no position.
package events
