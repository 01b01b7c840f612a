// Package analysis computes what a series is like over many delivery dates: figures of days and months, the mean day, the
// hours of each day side by side, and the distribution of its values. Sums are exact, in millionths; days and hours are those
// of Paris.
package analysis
