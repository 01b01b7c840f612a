#!/usr/bin/env bash
# A quarter-hour job on the 25-hour day: five schedulers sleep for an hour.
#
# One expects: "*/15 * * * *" runs every 15 minutes, also in the night of
# 25 October 2026, when Paris has the hour from 02:00 to 03:00 twice. Between
# 01:30 and 04:00 local time there are then 14 runs.
# What happens: node-cron (npm), gronx and go-quartz (Go) go from 01:45 straight
# to the second 02:00: the summer-time hour, 00:00Z to 00:45Z, has no run.
# cron-schedule and cronosjs (which node-red-contrib-cron-plus uses) run in it
# and are silent in the second, 01:00Z to 01:45Z. Each leaves out 4 runs of 14.
# croner, cron-parser and cron (npm), robfig/cron and cronexpr (Go), asked the
# same, plan all 14.
# For whom: whoever lets one of these read prices, send set points to a battery
# or write a meter reading each quarter: one hour of the year has none.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts \
  node-cron@4.6.0 cron-schedule@6.0.0 cronosjs@1.7.1 croner@11.0.0 cron-parser@5.10.5 cron@4.4.0 luxon@3.7.2 >/dev/null

cat > plan.cjs <<'JS'
const every = '*/15 * * * *', zone = 'Europe/Paris', count = 14;
const start = new Date('2026-10-24T23:20:00Z'); // 01:20 in Paris
const print = (name, times) =>
  console.log(name.padEnd(13), times.map((t) => new Date(t).toISOString().slice(11, 16)).join(' '));

// node-cron plans from the clock, so the clock is set to the start while it plans.
function nodeCron() {
  const RealDate = Date;
  globalThis.Date = class extends RealDate {
    constructor(...args) { if (args.length) super(...args); else super(start.getTime()); }
    static now() { return start.getTime(); }
  };
  try {
    const task = require('node-cron').schedule(every, () => {}, { timezone: zone });
    const runs = task.getNextRuns(count).map((d) => d.getTime());
    task.stop();
    return runs;
  } finally {
    globalThis.Date = RealDate;
  }
}
const { Cron } = require('croner');
print('croner', new Cron(every, { timezone: zone, paused: true }).nextRuns(count, start));
const parsed = require('cron-parser').CronExpressionParser.parse(every, { tz: zone, currentDate: start });
print('cron-parser', Array.from({ length: count }, () => parsed.next().toDate()));
const { CronTime } = require('cron');
const { DateTime } = require('luxon');
const time = new CronTime(every, zone), runs = [];
let at = DateTime.fromJSDate(start, { zone });
for (let i = 0; i < count; i++) runs.push((at = time.getNextDateFrom(at, zone)).toMillis());
print('cron', runs);
print('node-cron', nodeCron());
const { parseCronExpression } = require('cron-schedule');
print('cron-schedule', parseCronExpression(every).getNextDates(count, start));
const { CronosExpression } = require('cronosjs');
print('cronosjs', CronosExpression.parse(every, { timezone: zone }).nextNDates(start, count));
process.exit(0);
JS

export GOFLAGS=-mod=mod GOTOOLCHAIN=local
cat > main.go <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/adhocore/gronx"
	"github.com/hashicorp/cronexpr"
	"github.com/reugn/go-quartz/quartz"
	"github.com/robfig/cron/v3"
)

func main() {
	paris, err := time.LoadLocation("Europe/Paris")
	check(err)
	print := func(name string, next func(time.Time) time.Time) {
		fmt.Printf("%-13s", name)
		t := time.Date(2026, 10, 24, 23, 20, 0, 0, time.UTC).In(paris)
		for range 14 {
			t = next(t)
			fmt.Print(t.UTC().Format(" 15:04"))
		}
		fmt.Println()
	}
	plan, err := cron.ParseStandard("*/15 * * * *")
	check(err)
	print("robfig/cron", plan.Next)
	print("cronexpr", cronexpr.MustParse("*/15 * * * *").Next)
	print("gronx", func(t time.Time) time.Time {
		next, err := gronx.NextTickAfter("*/15 * * * *", t, false)
		check(err)
		return next
	})
	trigger, err := quartz.NewCronTriggerWithLoc("0 0/15 * * * ?", paris)
	check(err)
	print("go-quartz", func(t time.Time) time.Time {
		next, err := trigger.NextFireTime(t.UnixNano())
		check(err)
		return time.Unix(0, next)
	})
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
GO
{
  go mod init example.org/finding
  go get github.com/adhocore/gronx@v1.20.4 github.com/hashicorp/cronexpr@v1.1.3 \
    github.com/reugn/go-quartz@v0.15.2 github.com/robfig/cron/v3@v3.0.1
} >/dev/null 2>&1
echo 'Planned runs in UTC, from 01:20 in Paris on 25 October 2026:'
got=$(TZ=Europe/Paris node plan.cjs; go run .)
printf '%s\n' "$got"
all='23:30 23:45 00:00 00:15 00:30 00:45 01:00 01:15 01:30 01:45 02:00 02:15 02:30 02:45'
no_first='23:30 23:45 01:00 01:15 01:30 01:45 02:00 02:15 02:30 02:45 03:00 03:15 03:30 03:45'
no_second='23:30 23:45 00:00 00:15 00:30 00:45 02:00 02:15 02:30 02:45 03:00 03:15 03:30 03:45'
want="croner        $all
cron-parser   $all
cron          $all
node-cron     $no_first
cron-schedule $no_second
cronosjs      $no_second
robfig/cron   $all
cronexpr      $all
gronx         $no_first
go-quartz     $no_first"
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described: node-cron 4.6.0, gronx v1.20.4 and go-quartz v0.15.2 leave out the first 02:00 hour,'
echo 'cron-schedule 6.0.0 and cronosjs 1.7.1 the second.'
