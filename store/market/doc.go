// Package market describes the market data that Courant collects: datasets, delivery dates, periods, the row type and the
// columns of each dataset, and what is computed from rows (quarter hours, means of 5 min, buckets, the figures and blocks of
// prices). Everything about a dataset that more than one package needs is registered here once; how data are fetched, stored
// and shown is in other packages.
//
// Instants are Unix times in UTC, in seconds unless a name or comment gives another unit. Delivery dates are civil days in
// Europe/Paris.
package market
