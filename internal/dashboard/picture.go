package dashboard

import (
	"time"

	"chatops/internal/chatops"
)

// Bounds of what is read of the causes: so many, each counted so far.
const (
	maxCauses  = 25
	countTo    = 200
	alertsPage = 200
)

// causesEvery is how often the causes are looked at: they cost more than all the
// rest, and change less.
const causesEvery = 10 * time.Second

// picture is everything that the sources have told. What is nil is not known.
type picture struct {
	queue   *chatops.QueueStats
	groups  *chatops.AlertGroups
	fleet   *chatops.Fleet
	jobs    *chatops.JobList
	alerts  *alertPage
	detail  *alertDetail
	trend   trend
	denials map[string][]int64 // by limit: denied in a minute, look by look
}

// alertPage is a page of the list of alerts, for a filter.
type alertPage struct {
	alerts []chatops.Alert
	next   *chatops.AlertCursor // nil: there are no more
}

// alertDetail is one alert with its attempts.
type alertDetail struct {
	alert    *chatops.Alert
	attempts []chatops.Attempt
}

// tell takes an answer in.
func (p *picture) tell(a *answer) {
	switch {
	case a.Queue != nil:
		p.queue = a.Queue
		p.trend.add(a.Queue)
	case a.Causes != nil:
		p.groups = a.Causes
	case a.Fleet != nil:
		p.tellFleet(a.Fleet)
	case a.Jobs != nil:
		p.jobs = a.Jobs
	case a.alerts != nil:
		p.alerts = a.alerts
	case a.detail != nil:
		p.detail = a.detail
	}
}

// tellFleet takes a look at the fleet in.
func (p *picture) tellFleet(f *chatops.Fleet) {
	p.fleet = f
	if p.denials == nil {
		p.denials = map[string][]int64{}
	}
	for _, name := range f.LimitNames() {
		l := f.Limit(name)
		p.denials[name] = append(p.denials[name], l.Denied)
		p.denials[name] = p.denials[name][max(0, len(p.denials[name])-trendPoints):]
	}
}

// moment is the database's time now, as far as a look at it tells.
func moment(told, heardAt, now time.Time) time.Time { return told.Add(now.Sub(heardAt)) }

// since words how long ago a moment was, "-" when it never was.
func since(at, now time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return chatops.Span(now.Sub(at).Truncate(time.Second))
}

// until words a moment to come, "-" when there is none.
func until(at, now time.Time) string {
	switch {
	case at.IsZero():
		return "-"
	case !at.After(now):
		return "now"
	}
	return "in " + chatops.Span(at.Sub(now).Truncate(time.Second))
}
