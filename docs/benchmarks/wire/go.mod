module courant/docs/benchmarks/wire

go 1.26.0

require courant v0.0.0

replace courant => ../../..
