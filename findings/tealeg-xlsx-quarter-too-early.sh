#!/usr/bin/env bash
# tealeg/xlsx: every third quarter of an hour is read 420 nanoseconds early.
#
# One expects: a time written to an .xlsx cell by a library comes back from it,
# or at least to the millisecond that the format holds, as 00:30:00.
# What happens: 00:30 comes back as 00:29:59.999999580: of the 96 quarters of a
# day 32 are early, 32 late by as much, 32 exact. Printed to the second with
# Format it is 00:29:59, and Truncate(15*time.Minute), the usual way to find the
# delivery quarter, gives 00:15 for 00:30. excelize reads the same file exactly.
# For whom: importers of exchange or network operator spreadsheets: one price in
# three lands on the quarter before it, and overwrites that one. Round first.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
export GOFLAGS=-mod=mod GOTOOLCHAIN=local
cat > main.go <<'GO'
package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/tealeg/xlsx/v3"
	"github.com/xuri/excelize/v2"
)

func main() {
	day := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	quarter := func(i int) time.Time { return day.Add(time.Duration(i) * 15 * time.Minute) }
	file := xlsx.NewFile()
	sheet, err := file.AddSheet("prices")
	check(err)
	for i := range 96 {
		sheet.AddRow().AddCell().SetDateTime(quarter(i))
	}
	check(file.Save("day.xlsx"))

	again, err := xlsx.OpenFile("day.xlsx")
	check(err)
	early, late, exact, truncated := 0, 0, 0, 0
	for i := range 96 {
		cell, err := again.Sheets[0].Cell(i, 0)
		check(err)
		read, err := cell.GetTime(false)
		check(err)
		switch {
		case read.Before(quarter(i)):
			early++
		case read.After(quarter(i)):
			late++
		default:
			exact++
		}
		if !read.Truncate(15 * time.Minute).Equal(quarter(i)) {
			truncated++
		}
		if i == 2 {
			fmt.Println("00:30 is read as", read.Format("15:04:05.000000000"))
		}
	}
	fmt.Println("tealeg/xlsx: early", early, "late", late, "exact", exact, "in another quarter after Truncate", truncated)

	other, err := excelize.OpenFile("day.xlsx")
	check(err)
	same := 0
	for i := range 96 {
		raw, err := other.GetCellValue("prices", fmt.Sprintf("A%d", i+1), excelize.Options{RawCellValue: true})
		check(err)
		serial, err := strconv.ParseFloat(raw, 64)
		check(err)
		read, err := excelize.ExcelDateToTime(serial, false)
		check(err)
		if read.Equal(quarter(i)) {
			same++
		}
	}
	fmt.Println("excelize: exact", same)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
GO
{ go mod init example.org/finding && go get github.com/tealeg/xlsx/v3@v3.3.13 github.com/xuri/excelize/v2@v2.11.1; } >/dev/null 2>&1
got=$(go run .)
printf 'tealeg/xlsx v3.3.13, excelize v2.11.1\n%s\n' "$got"
want='00:30 is read as 00:29:59.999999580
tealeg/xlsx: early 32 late 32 exact 32 in another quarter after Truncate 32
excelize: exact 96'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
