package simulator

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	switchesPath = "/switches"

	maxFormBytes = 4 << 10
)

// serveOn registers the page of the switches.
func (s *Switches) serveOn(mux *http.ServeMux) {
	mux.HandleFunc("GET "+switchesPath, fromLoopback(func(w http.ResponseWriter, _ *http.Request) {
		textAnswer(http.StatusOK, s.page()).writeTo(w)
	}))
	mux.HandleFunc("POST "+switchesPath, fromLoopback(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
		asked, err := parseSwitch(r)
		if err == nil {
			err = s.setByHand(asked)
		}
		if err != nil {
			textAnswer(http.StatusBadRequest, err.Error()+"\n").writeTo(w)
			return
		}
		textAnswer(http.StatusOK, s.page()).writeTo(w)
	}))
}

// fromLoopback refuses a request with another host name, which a foreign web page
// may have sent.
func fromLoopback(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		address, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if !strings.EqualFold(host, "localhost") && (err != nil || !address.Unmap().IsLoopback()) {
			textAnswer(http.StatusForbidden, "ask for this page by 127.0.0.1 or localhost\n").writeTo(w)
			return
		}
		next(w, r)
	}
}

// setByHand is Set, except that one source stays reachable, so that the page does.
func (s *Switches) setByHand(w Switch) error {
	if w.Fault == ConnectionRefused {
		s.mu.Lock()
		others := slices.ContainsFunc(resources, func(r resource) bool { return r.source != w.Resource && s.refuses(r) })
		s.mu.Unlock()
		if others || w.Resource == All {
			return fmt.Errorf("fault %q for both sources would close this page: one stays open, %s or %s", w.Fault, AllOfRTE, AllOfENTSOE)
		}
	}
	return s.Set(w)
}

// parseSwitch parses a form. The error names the field that is wrong and what it
// must contain.
func parseSwitch(r *http.Request) (Switch, error) {
	if err := r.ParseForm(); err != nil {
		return Switch{}, fmt.Errorf("the form cannot be read: %w", err)
	}
	form := r.PostForm
	for name := range form {
		if fields := []string{"resource", "fault", "times", "date"}; !slices.Contains(fields, name) {
			return Switch{}, fmt.Errorf("field %q is not known: it is one of %s", name, strings.Join(fields, ", "))
		}
	}
	asked := Switch{Resource: form.Get("resource"), Fault: form.Get("fault")}
	if text := form.Get("times"); text != "" {
		times, err := strconv.Atoi(text)
		if err != nil || times < 1 {
			return Switch{}, fmt.Errorf("times %q: it is a number from 1 on, for how many answers", text)
		}
		asked.Times = times
	}
	if text := form.Get("date"); text != "" {
		date, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return Switch{}, fmt.Errorf("date %q: it is a delivery date, YYYY-MM-DD", text)
		}
		asked.Date.Year, asked.Date.Month, asked.Date.Day = date.Date()
	}
	return asked, nil
}

// page shows the faults that are set, and those that can be.
func (s *Switches) page() string {
	var b strings.Builder
	b.WriteString("Set now:\n")
	for _, r := range resources {
		fmt.Fprintf(&b, "  %-25s %s\n", r.name, s.state(r))
	}
	fmt.Fprintf(&b, "\nPOST %s sets a fault: resource=RESOURCE fault=FAULT [times=ANSWERS] [date=YYYY-MM-DD]\n", switchesPath)
	fmt.Fprintf(&b, "RESOURCE is one of %s.\nFAULT is one of\n", strings.Join(resourceNames(), ", "))
	for _, f := range Faults() {
		fmt.Fprintf(&b, "  %-27s %s\n", f.Name, f.Says)
	}
	return b.String()
}

// state returns the text of the fault that is set for a resource.
func (s *Switches) state(r resource) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := Well
	if set := s.set[r.name]; set != nil {
		state = set.fault.Name
		if set.date != (Day{}) {
			state += " of " + set.date.String()
		}
		if set.left > 0 {
			state += fmt.Sprintf(", answers left: %d", set.left)
		}
		state += fmt.Sprintf(", answers so far: %d", set.met)
	}
	if r.name == A44 && s.banned {
		state += "; " + Ban
		if !s.banEnds.IsZero() {
			state += " until " + s.banEnds.UTC().Format(time.RFC3339)
		}
	}
	for i, d := range s.corrected[r.name] {
		if i == 0 {
			state += "; " + Corrected + " of"
		}
		state += " " + d.String()
	}
	return state
}
