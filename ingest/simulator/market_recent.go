package simulator

import "sync"

// recentDays keeps the delivery dates made last: one takes milliseconds and up to
// megabytes, and clients come back for the current ones.
type recentDays[S any] struct {
	most int // dates kept
	make func(Day) []S

	mu   sync.Mutex
	kept []recentDay[S]
	next int // the place to be taken next, once all are
}

type recentDay[S any] struct {
	day   Day
	steps []S
}

func (c *recentDays[S]) day(d Day) []S {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.kept {
		if k.day == d {
			return k.steps
		}
	}
	made := recentDay[S]{d, c.make(d)}
	if len(c.kept) < c.most {
		c.kept = append(c.kept, made)
		return made.steps
	}
	c.kept[c.next] = made
	c.next = (c.next + 1) % c.most
	return made.steps
}
