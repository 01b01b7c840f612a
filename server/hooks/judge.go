package hooks

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"courant/ingest/report"
	"courant/server/events"
	"courant/store"
	"courant/store/market"
)

const (
	// datesAtOnce is how many changed delivery dates are read at once.
	datesAtOnce = 64
	// positionInterval is after how long the position is stored if nothing had to be sent. Until then the same commits are
	// judged again after a restart.
	positionInterval = time.Hour
	// mailDays is how old in days a delivery date may be for a mail about it: data of the past that is fetched is no
	// news.
	mailDays = 7
	// unwellTime is how long a dataset has to be in error or down to be announced as late: most failures are over soon.
	unwellTime = 15 * time.Minute
)

// listened is a hook with its events.
type listened struct {
	store.Hook
	events []Event
}

// enabled returns the enabled hooks.
func (s *Service) enabled(ctx context.Context) ([]listened, error) {
	stored, err := s.Store.EnabledHooks(ctx)
	var all []listened
	for _, hook := range stored {
		events, err := EventsOf(hook)
		if err != nil {
			s.Log.Error("events of a webhook not read", "webhook", hook.ID, "error", err.Error())
			continue
		}
		all = append(all, listened{hook, events})
	}
	return all, err
}

// asksFor reports whether one of the hooks has an event of one of the types on a dataset.
func asksFor(hooks []listened, dataset market.Dataset, types ...Type) bool {
	return slices.ContainsFunc(hooks, func(hook listened) bool {
		return slices.ContainsFunc(hook.events, func(e Event) bool { return e.Dataset == dataset && slices.Contains(types, e.Type) })
	})
}

// judgeCommits queues what the commits since the last judgement mean for hooks.
func (s *Service) judgeCommits(ctx context.Context) error {
	// A hook that is made after the hooks are read is not about the commits before.
	newest, err := s.Store.NewestPosition(ctx)
	if err != nil || newest == s.judged {
		return err
	}
	hooks, err := s.enabled(ctx)
	if err != nil || len(hooks) == 0 {
		return err
	}
	if s.judged == 0 {
		if s.judged, err = s.Store.HookPosition(ctx); err != nil {
			return err
		}
		s.stored = s.Clock.Now()
	}
	first := slices.MinFunc(hooks, func(a, b listened) int { return int(a.Since - b.Since) })
	for s.judged = max(s.judged, first.Since); s.judged < newest; {
		commits, err := events.After(ctx, s.Store, s.judged, datesAtOnce)
		if errors.Is(err, store.ErrChangesPruned) {
			if commits, err = nil, s.skipPruned(ctx); err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		for _, commit := range commits {
			if commit.Position > newest {
				return nil
			}
			if err := s.judgeCommit(ctx, hooks, commit); err != nil {
				return err
			}
			s.judged = commit.Position
		}
		if len(commits) == 0 {
			return nil
		}
	}
	return nil
}

// skipPruned goes on after the commits whose changes are no longer listed.
func (s *Service) skipPruned(ctx context.Context) error {
	listed, err := s.Store.FirstListed(ctx)
	if err != nil {
		return err
	}
	s.Log.Warn("webhooks and alerts skip changes that are no longer listed, because Courant did not run for a week",
		"after", int64(s.judged), "to", int64(listed))
	s.judged = listed
	return nil
}

// judgeCommit queues what a commit means for hooks.
func (s *Service) judgeCommit(ctx context.Context, hooks []listened, commit events.Commit) error {
	progress := store.HookProgress{}
	for _, change := range commit.Changes {
		if change.HasMoreRevisions && asksFor(hooks, change.Dataset, RowsRevised) {
			all, err := events.Revisions(ctx, s.Store, commit, change)
			if err != nil {
				return err
			}
			change.Revisions, change.HasMoreRevisions = all, false
		}
		for _, hook := range hooks {
			if commit.Position <= hook.Since {
				continue
			}
			for i, event := range hook.events {
				if event.Dataset != change.Dataset {
					continue
				}
				if err := s.judgeEvent(ctx, &progress, hook.Hook, i, event, change, commit); err != nil {
					return err
				}
			}
		}
	}
	isDue := s.Clock.Now().Sub(s.stored).Abs() >= positionInterval
	if len(progress.Deliveries) == 0 && len(progress.Answers) == 0 && !isDue {
		return nil
	}
	progress.Position, s.stored = commit.Position, s.Clock.Now()
	return s.Store.RecordHookProgress(ctx, progress)
}

// judgeEvent adds to the progress what a change means for an event of a hook.
func (s *Service) judgeEvent(
	ctx context.Context, progress *store.HookProgress, hook store.Hook, i int, event Event, change events.Change, commit events.Commit,
) error {
	add := func(data any) error {
		d, err := s.delivery(hook.ID, event.Type, change.Dataset, commit.At, data)
		progress.Deliveries = append(progress.Deliveries, d)
		return err
	}
	isNews := func(date market.DeliveryDate) bool {
		return hook.URL != "" || !date.Before(market.DeliveryDateOf(s.Clock.Now()).Add(-mailDays))
	}
	switch {
	case event.Type == DateComplete:
		for _, date := range change.Completed {
			if !isNews(date) {
				continue
			}
			if err := add(dateData{s.common(change.Dataset), date, commit.Position}); err != nil {
				return err
			}
		}
	case event.Type == RowsRevised:
		if data, is := s.revisedData(event, change, commit.Position); is {
			return add(data)
		}
	case event.Type.isPrice():
		for _, date := range change.Changed {
			if !isNews(date) {
				continue
			}
			data, answer, isNew, err := s.judgePrices(ctx, hook.ID, i, event, date, change, commit.Position)
			if err != nil {
				return err
			}
			if answer == nil {
				continue
			}
			progress.Answers = append(progress.Answers, store.HookAnswer{HookID: hook.ID, Event: i, Date: date, Answer: answer})
			if isNew && data.Count == 0 {
				continue
			}
			if err := add(data); err != nil {
				return err
			}
		}
	}
	return nil
}

// judgePrices judges a condition on a delivery date that a commit has completed or revised. The answer is nil if there is
// nothing to judge, or if it is what it was; isNew reports whether the date was not judged before.
func (s *Service) judgePrices(
	ctx context.Context, hookID int64, i int, event Event, date market.DeliveryDate, change events.Change, position store.Position,
) (data priceData, answer []byte, isNew bool, err error) {
	isComplete := slices.Contains(change.Completed, date)
	if !isComplete && len(change.Revisions) == 0 && !change.HasMoreRevisions {
		return priceData{}, nil, false, nil
	}
	before, err := s.Store.HookAnswerOn(ctx, hookID, i, date)
	if err != nil || before == nil && !isComplete {
		return priceData{}, nil, false, err
	}
	data, answer, err = s.pricesOf(ctx, event, date, position)
	if errors.Is(err, store.ErrThinned) { // since then; the means that are left do not tell
		return priceData{}, nil, false, nil
	}
	if err != nil || bytes.Equal(before, answer) {
		return priceData{}, nil, false, err
	}
	return data, answer, before == nil, nil
}

// pricesOf returns the periods of a delivery date that fulfil a condition after a commit, and a hash of all of them.
func (s *Service) pricesOf(ctx context.Context, event Event, date market.DeliveryDate, position store.Position) (priceData, []byte, error) {
	data := priceData{
		common: s.common(event.Dataset), Date: date, Column: event.Column, Keys: event.Keys, Threshold: number(event.bound()),
		Periods: []pricePeriod{}, Position: position,
	}
	if data.Keys == nil {
		data.Keys = map[string]Values{}
	}
	for _, column := range event.Dataset.Series().ServedColumns() {
		if column.Name == event.Column {
			data.Unit = column.Unit
		}
	}
	query := store.ReadQuery{
		Dataset: event.Dataset, Period: date.Period(), Columns: []string{event.Column}, Keys: map[string][]string{}, At: position,
	}
	for name, values := range event.Keys {
		query.Keys[name] = values
	}
	reading, err := s.Store.Read(ctx, query)
	if err != nil {
		return data, nil, err
	}
	names, hash := keyNames(event.Dataset), sha256.New()
	for chunk, err := range reading.Chunks(ctx) {
		if err != nil {
			return data, nil, err
		}
		for row := range chunk.Len() {
			price := chunk.Columns[0].Number(row)
			if !price.Valid || !event.fulfils(price.V) {
				continue
			}
			var values []string
			for k := range names {
				values = append(values, chunk.Keys[k][row])
				hash.Write([]byte(values[k] + "\n"))
			}
			binary.Write(hash, binary.BigEndian, struct { // +0 makes a negative zero positive
				Start int64
				Price float64
			}{chunk.Starts[row], price.V + 0})
			if data.Count++; data.Count > mostPeriods {
				continue
			}
			period := chunk.Period(row)
			found := pricePeriod{Start: report.Instant(period.From()), End: report.Instant(period.To()), Value: number(price.V)}
			if len(names) > 0 {
				found.Keys = keysOf(names, values)
			}
			data.Periods = append(data.Periods, found)
		}
	}
	return data, hash.Sum(nil), nil
}

// judgeStates queues what the states of the datasets mean for hooks.
func (s *Service) judgeStates(ctx context.Context) error {
	hooks, err := s.enabled(ctx)
	if err != nil {
		return err
	}
	before, err := s.Store.Lateness(ctx)
	if err != nil {
		return err
	}
	isAsked := func(dataset market.Dataset) bool { return asksFor(hooks, dataset, FeedLate, FeedRecovered) }
	if !slices.ContainsFunc(market.Datasets(), isAsked) {
		if len(before) == 0 {
			return nil
		}
		return s.Store.ForgetLateness(ctx) // so that a hook that is made later is not notified of what was before it
	}
	found, err := s.Report(ctx, false)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	progress := store.HookProgress{Lateness: map[market.Dataset]store.Lateness{}}
	for _, status := range found.Datasets {
		was, known := before[status.Dataset]
		is, kind := nextLateness(was, known, status.State, now)
		if is == was && (known || status.State == report.StateOff) {
			continue
		}
		progress.Lateness[status.Dataset] = is
		if kind == "" {
			continue
		}
		data := stateData{common: s.common(status.Dataset), State: status.State}
		if n := len(status.Missing); n > 0 && kind == FeedLate {
			data.Reason = &status.Missing[n-1].Reason
		}
		for _, hook := range hooks {
			if !asksFor([]listened{hook}, status.Dataset, kind) {
				continue
			}
			d, err := s.delivery(hook.ID, kind, status.Dataset, now, data)
			if err != nil {
				return err
			}
			progress.Deliveries = append(progress.Deliveries, d)
		}
	}
	if len(progress.Lateness) == 0 {
		return nil
	}
	return s.Store.RecordHookProgress(ctx, progress)
}

// nextLateness returns what follows for a dataset from its state, and what is announced: FeedLate, FeedRecovered or nothing.
// Of a dataset that was not known before nothing is.
func nextLateness(was store.Lateness, known bool, state report.State, now time.Time) (is store.Lateness, announced Type) {
	is = was
	switch state {
	case report.StateOff:
		return is, ""
	case report.StateOK:
		is = store.Lateness{}
	default:
		if is.Unwell.IsZero() || is.Unwell.After(now) { // it was stored while the clock was ahead
			is.Unwell = now.Truncate(time.Millisecond).UTC()
		}
		lasts := now.Sub(is.Unwell) >= unwellTime
		is.IsLate = is.IsLate || lasts || state == report.StateLate || state == report.StateStale
	}
	switch {
	case !known || is.IsLate == was.IsLate:
		return is, ""
	case is.IsLate:
		return is, FeedLate
	}
	return is, FeedRecovered
}
