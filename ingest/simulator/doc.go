// Package simulator is RTE and ENTSO-E as two servers on the loopback, for the
// demo and for tests.
//
// Behind them is one invented market. Every value is a pure function of its
// series and its delivery date, so two runs, or a server and a test beside it,
// see the same market: what [Prices], [CapacitySteps], [AFRRSteps], [MFRRSteps]
// and [ImbalanceStepsAt] return is what the servers publish, and a test of a
// client may take it as the truth.
//
// The servers speak the formats of the real ones, habits included: series a
// client has to ignore, numbers written as strings, absent keys, blocks out of
// order, omitted repeats, windows that are too wide. Each value appears when
// the real source would publish it, by the clock in [Options].
//
// With [Switches] they fail as the real ones do: they hang, refuse, answer with
// something else or cut it short, and correct values that they have published.
// What is corrected is a pure function too, the Corrected of each row. A person
// sets the same switches at /switches of either server. The failures to look up a
// name and to agree on TLS cannot come from a server on the loopback: a test
// makes them in the network of its client.
//
// What it is not: a model of the French market. The shapes are believable, the
// levels are invented, and no series explains another but two: the energy prices
// lean on the day-ahead price, and the imbalance follows from the energies.
package simulator
