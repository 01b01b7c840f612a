package simulator

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Switches sets the faults of the sources. The zero value is ready for use, without
// faults, and safe for concurrent use. Both sources share one.
type Switches struct {
	mu        sync.Mutex
	set       map[string]*setting         // by resource; resources without a fault are missing
	corrected map[string][]Day            // by resource; only ever appended to
	expiries  int                         // how often all tokens given before expired
	banned    bool                        // by ENTSO-E
	banEnds   time.Time                   // zero: it begins with the next call
	doors     map[string]func(bool) error // by source: opens its port, or closes it
}

// Switch sets one fault.
type Switch struct {
	Resource string // a resource, a source or all
	Fault    string // the name of a fault; [Well] ends the one that is set
	// Times is the number of replies of each resource that have the fault; 0: until another one is set.
	Times int
	// Date is the delivery date that the fault is about. By default it is the one
	// that the source has newest: tomorrow for what is known a day ahead, today for
	// energy. Corrected needs it.
	Date Day
}

// setting is the present state of a Switch for one resource.
type setting struct {
	fault Fault
	left  int // answers; 0: no end
	date  Day
	met   int // answers that had it
}

// Set sets or ends a fault, from the next reply on. A fault that not every
// resource of a source can have is set for those that can. The error explains
// what is wrong with the Switch and what would be right.
//
// Refused connections concern a whole source, and end when anything else is set
// for any of its resources. A ban, expired tokens and corrections do not replace
// the fault that is set, and no other fault ends them.
func (s *Switches) Set(w Switch) error {
	fault, at, err := w.check()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch fault.Name {
	case TokenExpired:
		s.expiries++
		return nil
	case Ban:
		s.banned, s.banEnds = true, time.Time{}
		return nil
	case Corrected:
		if s.corrected == nil {
			s.corrected = make(map[string][]Day)
		}
		for _, r := range at {
			if !slices.Contains(s.corrected[r.name], w.Date) {
				s.corrected[r.name] = append(s.corrected[r.name], w.Date)
			}
		}
		return nil
	}
	if s.set == nil {
		s.set = make(map[string]*setting)
	}
	for _, r := range at {
		if s.refuses(r) {
			for _, sibling := range sourceOf(r) {
				delete(s.set, sibling.name)
			}
		}
	}
	for _, r := range at {
		delete(s.set, r.name)
		if fault.Name != Well {
			s.set[r.name] = &setting{fault: fault, left: w.Times, date: w.Date}
		}
	}
	var errs []error
	for source, door := range s.doors {
		errs = append(errs, door(!s.refuses(resourcesOf(source)[0])))
	}
	return errors.Join(errs...)
}

// refuses reports whether the port of a resource's source is closed. The caller
// holds the lock.
func (s *Switches) refuses(r resource) bool {
	set := s.set[r.name]
	return set != nil && set.fault.Name == ConnectionRefused
}

// check returns the fault and the resources that it is for.
func (w Switch) check() (Fault, []resource, error) {
	named := resourcesOf(w.Resource)
	if len(named) == 0 {
		return Fault{}, nil, fmt.Errorf("resource %q is not known: it is one of %s", w.Resource, strings.Join(resourceNames(), ", "))
	}
	fault, known := faults[w.Fault]
	at := slices.DeleteFunc(named, func(r resource) bool { return !fault.mayBeAt(r) })
	switch {
	case !known || len(at) == 0:
		return Fault{}, nil, fmt.Errorf("fault %q is not one of %s: those are %s", w.Fault, w.Resource, strings.Join(faultNames(w.Resource), ", "))
	case fault.Name == ConnectionRefused && len(at) == 1 && len(sourceOf(at[0])) > 1:
		return Fault{}, nil, fmt.Errorf("fault %q is one of a whole source: resource is %s or %s", w.Fault, AllOfRTE, AllOfENTSOE)
	case w.Times < 0:
		return Fault{}, nil, fmt.Errorf("times %d: it is at least 1, or 0 for no end", w.Times)
	case w.Times > 0 && fault.lasting:
		return Fault{}, nil, fmt.Errorf("times %d: fault %q is no matter of how many answers", w.Times, w.Fault)
	case w.Date != (Day{}) && !fault.dated:
		return Fault{}, nil, fmt.Errorf("date %s: fault %q is about no delivery date", w.Date, w.Fault)
	case w.Date == (Day{}) && fault.Name == Corrected:
		return Fault{}, nil, fmt.Errorf("fault %q needs a date: a delivery date, YYYY-MM-DD", w.Fault)
	}
	return fault, at, nil
}

// faultNames returns the faults that may be set for a resource, a source or all.
func faultNames(resource string) []string {
	var names []string
	for _, f := range Faults() {
		if slices.ContainsFunc(resourcesOf(resource), f.mayBeAt) {
			names = append(names, f.Name)
		}
	}
	return names
}

// next returns the fault of the next reply of a resource, and the market from
// which the reply is made.
func (s *Switches) next(r resource, now time.Time) (Fault, market) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := market{now: now, corrected: s.corrected[r.name]}
	if r.name == A44 && s.bans(now) {
		return faults[Ban], m
	}
	set := s.set[r.name]
	if set == nil {
		return faults[Well], m
	}
	set.met++
	if set.left > 0 {
		if set.left--; set.left == 0 {
			delete(s.set, r.name)
		}
	}
	m.fault, m.date = set.fault.Name, set.date
	if m.date == (Day{}) {
		m.date = DayOf(now)
		if r.ahead {
			m.date = m.date.Add(1)
		}
	}
	return set.fault, m
}

// bans reports whether ENTSO-E's ban is in force. The caller holds the lock.
func (s *Switches) bans(now time.Time) bool {
	if s.banned && s.banEnds.IsZero() {
		s.banEnds = now.Add(banLasts)
	}
	s.banned = s.banned && now.Before(s.banEnds)
	return s.banned
}

// tokensExpired returns how often all tokens given before have expired.
func (s *Switches) tokensExpired() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.expiries
}

// guard registers the function that closes and opens the port of a source, for refused connections.
func (s *Switches) guard(source string, door func(open bool) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.doors == nil {
		s.doors = make(map[string]func(bool) error)
	}
	s.doors[source] = door
	return door(!s.refuses(resourcesOf(source)[0]))
}

// handle answers the requests of a resource, with the reply that good makes from
// the market or with the fault that is set.
func (s *Switches) handle(name string, now func() time.Time, good func(*http.Request, market) answer) http.HandlerFunc {
	asked := resourceNamed(name)
	return func(w http.ResponseWriter, r *http.Request) {
		fault, m := s.next(asked, now())
		if fault.fail == nil {
			good(r, m).writeTo(w)
			return
		}
		fault.fail(failure{w: w, r: r, resource: asked, now: m.now, good: func() answer { return good(r, m) }})
	}
}
