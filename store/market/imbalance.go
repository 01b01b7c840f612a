package market

// ImbalancePrices is RTE Balancing Energy, imbalance_data, every 15 min.
const ImbalancePrices Dataset = "imbalance-prices"

// ImbalanceStep is the imbalance settlement of a quarter hour, as RTE publishes it (imbalance_data).
type ImbalanceStep struct {
	Start         int64  // seconds UTC
	PositivePrice Number // EUR/MWh, paid to a party in surplus
	NegativePrice Number // EUR/MWh, paid by a party in deficit
	ImbalanceMWh  Number // of the French system over the quarter hour; below 0 the system is short
	SystemTrend   String // UPWARD or DOWNWARD: the direction of the balancing energy that was needed
	Status        String // provisional, validated or settled
	MissingData   String // which of its inputs RTE lacks; null once it has all of them
	Updated       int64  // when RTE last wrote the row (updated_date), ms UTC; 0 if it does not say
}
