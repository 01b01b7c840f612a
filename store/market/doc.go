// Package market is Courant's vocabulary: datasets, delivery dates, periods, the row type of each dataset with its columns,
// and what is made of rows (quarter hours, 5 min, means). What may come in here is what a value is; where it is kept, who
// publishes it and who is shown it is said elsewhere.
package market
