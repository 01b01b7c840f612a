#!/usr/bin/env bash
# Off-peak hours as a calendar: on clock-change nights they end at 05:30, 06:30 or 07:30.
#
# One expects: a daily event from 22:30 to 06:30 in Europe/Paris (French off-peak hours)
# ends at 06:30 on every day, and each reader of the same .ics file gives the same times.
# What happens: by RFC 5545 the distance from DTSTART to DTEND of the first day is an
# exact length, here 8 hours, for all days. node-ical does this: in the night to
# 25 October 2026 the event ends at 05:30, in the night to 28 March 2027 at 07:30, an
# hour into the peak tariff. ical.js and gocal (Go) end at 06:30 in both nights, also
# where the file has DURATION:PT8H, and hours are exact in the RFC too.
# For whom: chargers and heaters switched by a calendar, and bills checked with one. An
# event from midnight leaves the same doubt; only single events in UTC leave none.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts node-ical@0.27.2 ical.js@2.2.1 >/dev/null
cat > end.ics <<'ICS'
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//off-peak//EN
BEGIN:VTIMEZONE
TZID:Europe/Paris
BEGIN:DAYLIGHT
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:off-peak@example.org
DTSTAMP:20260901T000000Z
SUMMARY:off-peak
DTSTART;TZID=Europe/Paris:20260901T223000
DTEND;TZID=Europe/Paris:20260902T063000
RRULE:FREQ=DAILY
END:VEVENT
END:VCALENDAR
ICS
sed 's/^DTEND.*/DURATION:PT8H/' end.ics > duration.ics
cat > read.cjs <<'JS'
const { readFileSync } = require('node:fs');
const nodeIcal = require('node-ical'), icalModule = require('ical.js');
const ICAL = icalModule.default ?? icalModule;
const paris = (date) => new Date(date).toLocaleString('en-GB', { timeZone: 'Europe/Paris', day: '2-digit', hour: '2-digit', minute: '2-digit' });
function* icalJs(text) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  ICAL.TimezoneService.register(calendar.getFirstSubcomponent('vtimezone'));
  const event = new ICAL.Event(calendar.getFirstSubcomponent('vevent')), starts = event.iterator();
  for (let day = 0; day < 365; day++) yield event.getOccurrenceDetails(starts.next());
}
for (const file of ['end', 'duration']) {
  const text = readFileSync(`${file}.ics`, 'utf8');
  for (const noon of ['2026-10-24T12:00:00Z', '2027-03-27T12:00:00Z']) {
    const from = new Date(noon), to = new Date(from.getTime() + 12 * 3600e3);
    const event = Object.values(nodeIcal.sync.parseICS(text)).find((part) => part.type === 'VEVENT');
    for (const { start, end } of nodeIcal.expandRecurringEvent(event, { from, to }))
      console.log(`${file} node-ical: ${paris(start)} to ${paris(end)}`);
    for (const { startDate, endDate } of icalJs(text))
      if (startDate.toJSDate() >= from && startDate.toJSDate() < to)
        console.log(`${file} ical.js: ${paris(startDate.toJSDate())} to ${paris(endDate.toJSDate())}`);
  }
}
JS
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/apognu/gocal"
)

func main() {
	paris, err := time.LoadLocation("Europe/Paris")
	check(err)
	for _, name := range []string{"end", "duration"} {
		for _, from := range []time.Time{
			time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC), time.Date(2027, 3, 27, 12, 0, 0, 0, time.UTC),
		} {
			file, err := os.Open(name + ".ics")
			check(err)
			to := from.Add(12 * time.Hour)
			calendar := gocal.NewParser(file)
			calendar.Start, calendar.End = &from, &to
			check(calendar.Parse())
			for _, event := range calendar.Events {
				fmt.Printf("%s gocal: %s to %s\n", name, event.Start.In(paris).Format("02, 15:04"), event.End.In(paris).Format("02, 15:04"))
			}
			check(file.Close())
		}
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
GO
export GOFLAGS=-mod=mod GOTOOLCHAIN=local
{ go mod init example.org/finding && go get github.com/apognu/gocal@v0.9.1; } >/dev/null 2>&1
got=$(node read.cjs; go run .)
printf 'node-ical 0.27.2, ical.js 2.2.1, gocal v0.9.1\n%s\n' "$got"
want='end node-ical: 24, 22:30 to 25, 05:30
end ical.js: 24, 22:30 to 25, 06:30
end node-ical: 27, 22:30 to 28, 07:30
end ical.js: 27, 22:30 to 28, 06:30
duration node-ical: 24, 22:30 to 25, 05:30
duration ical.js: 24, 22:30 to 25, 06:30
duration node-ical: 27, 22:30 to 28, 07:30
duration ical.js: 27, 22:30 to 28, 06:30
end gocal: 24, 22:30 to 25, 06:30
end gocal: 27, 22:30 to 28, 06:30
duration gocal: 24, 22:30 to 25, 06:30
duration gocal: 27, 22:30 to 28, 06:30'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
