#!/usr/bin/env bash
# Go schedulers: "each day at 02:30 in Paris" means three things.
#
# One expects: a daily job runs once a day, and the two ways in which gocron can
# be told "02:30 each day" plan the same instants.
# What happens on clock-change days: gocron's DailyJob runs at 03:30 in March
# and in the second 02:30 in October; gocron's CronJob "30 2 * * *", in the same
# scheduler, has no run in March and takes the first 02:30 in October.
# robfig/cron, which parses that line for gocron, has no run in March and runs
# twice in October, at both 02:30.
# For whom: nightly closing of the day's prices, invoices, backups, battery
# plans: in March the day can be missing, in October be booked twice. Use UTC,
# or an hour outside 02:00 to 03:00.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
export GOFLAGS=-mod=mod GOTOOLCHAIN=local
cat > main.go <<'GO'
package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/jonboulle/clockwork"
	"github.com/robfig/cron/v3"
)

func main() {
	paris, err := time.LoadLocation("Europe/Paris")
	check(err)
	for _, evening := range []time.Time{
		time.Date(2027, 3, 27, 20, 0, 0, 0, time.UTC),
		time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC),
	} {
		scheduler, err := gocron.NewScheduler(gocron.WithLocation(paris), gocron.WithClock(clockwork.NewFakeClockAt(evening)))
		check(err)
		daily, err := scheduler.NewJob(gocron.DailyJob(1, gocron.NewAtTimes(gocron.NewAtTime(2, 30, 0))), gocron.NewTask(func() {}))
		check(err)
		line, err := scheduler.NewJob(gocron.CronJob("30 2 * * *", false), gocron.NewTask(func() {}))
		check(err)
		scheduler.Start()
		for name, job := range map[string]gocron.Job{"gocron DailyJob": daily, "gocron CronJob": line} {
			next, err := job.NextRun()
			check(err)
			fmt.Printf("%s %s: next run %s\n", evening.Format("2006-01-02"), name, next.In(paris).Format("02 Jan 15:04 -07:00"))
		}
		check(scheduler.Shutdown())

		plan, err := cron.ParseStandard("CRON_TZ=Europe/Paris 30 2 * * *")
		check(err)
		var runs []string
		for t := plan.Next(evening); t.Before(evening.AddDate(0, 0, 2)); t = plan.Next(t) {
			runs = append(runs, t.In(paris).Format("02 Jan 15:04 -07:00"))
		}
		fmt.Printf("%s robfig/cron: runs of two days %s\n", evening.Format("2006-01-02"), strings.Join(runs, ", "))
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
GO
{ go mod init example.org/finding && go get github.com/go-co-op/gocron/v2@v2.21.2 github.com/robfig/cron/v3@v3.0.1 github.com/jonboulle/clockwork@v0.5.0; } >/dev/null 2>&1
got=$(go run . | sort)
printf 'gocron v2.21.2, robfig/cron v3.0.1\n%s\n' "$got"
want='2026-10-24 gocron CronJob: next run 25 Oct 02:30 +02:00
2026-10-24 gocron DailyJob: next run 25 Oct 02:30 +01:00
2026-10-24 robfig/cron: runs of two days 25 Oct 02:30 +02:00, 25 Oct 02:30 +01:00, 26 Oct 02:30 +01:00
2027-03-27 gocron CronJob: next run 29 Mar 02:30 +02:00
2027-03-27 gocron DailyJob: next run 28 Mar 03:30 +02:00
2027-03-27 robfig/cron: runs of two days 29 Mar 02:30 +02:00'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
