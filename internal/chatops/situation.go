package chatops

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Situation is what can be known of the whole system at one moment. What is not
// known is nil, which is never the same as nothing.
type Situation struct {
	At     time.Time
	Queue  *QueueStats
	Groups *AlertGroups
	Fleet  *Fleet
	Jobs   *JobList
	// Sources are those that do not answer, and since when.
	Sources []SourceTrouble
	// Growth is by how many the waiting alerts grow in a minute; nil while it is
	// not known.
	Growth *float64
}

// SourceTrouble is a source that does not answer.
type SourceTrouble struct {
	Name  string // "postgresql", "redis"
	Since time.Time
	Error string
}

// Level is how bad a finding is.
type Level string

// The levels, from the best.
const (
	LevelOK       Level = "OK"
	LevelUnknown  Level = "UNKNOWN" // nothing has been heard yet
	LevelWatch    Level = "WATCH"
	LevelIncident Level = "INCIDENT"
)

// Finding is one thing that is not as it should be.
type Finding struct {
	Level Level  `json:"level"`
	About string `json:"about"` // "sources", "queue", "causes", "breakers", "limits", "jobs" or "replicas"
	Text  string `json:"text"`
}

// patience is how old a waiting alert may be before it is an incident.
const patience = 5 * time.Minute

// Findings are everything that is not as it should be, the worst first, and of
// equal ones in the order in which an engineer mends them.
func (s *Situation) Findings() []Finding {
	breakers := s.breakerFindings()
	list := slices.Concat(s.sourceFindings(), breakers, s.queueFindings(len(breakers) > 0), s.replicaFindings(), s.limitFindings(), s.jobFindings())
	order := []Level{LevelIncident, LevelWatch, LevelUnknown}
	slices.SortStableFunc(list, func(a, b Finding) int { return slices.Index(order, a.Level) - slices.Index(order, b.Level) })
	return list
}

// Verdict is the situation in one line, and how bad it is.
func (s *Situation) Verdict() (Level, string) { return s.VerdictOf(s.Findings()) }

// VerdictOf is the verdict of findings that were listed before.
func (s *Situation) VerdictOf(list []Finding) (Level, string) {
	switch {
	case len(list) == 0 && s.known():
		return LevelOK, "nothing needs you: breakers closed, no alert failed, no limit refuses"
	case len(list) == 0:
		return LevelUnknown, "waiting for the first answers"
	}
	texts := make([]string, len(list))
	for i, f := range list {
		texts[i] = f.Text
		if old := i > 0 && f.About != aboutSources && list[i-1].About == aboutSources; old && list[0].Level == LevelIncident {
			texts[i] = "last known: " + f.Text
		}
	}
	return list[0].Level, strings.Join(texts, "; ")
}

// aboutSources is what a finding is about that is not about the system but about
// what is known of it.
const aboutSources = "sources"

func (s *Situation) known() bool { return s.Queue != nil && s.Fleet != nil && s.Jobs != nil }

func (s *Situation) sourceFindings() []Finding {
	var list []Finding
	for _, t := range s.Sources {
		level := LevelIncident
		if t.Name == "redis" {
			level = LevelWatch // replicas limit by themselves meanwhile
		}
		list = append(list, Finding{level, aboutSources, t.Name + " does not answer for " + Span(s.At.Sub(t.Since).Truncate(time.Second)) + reason(t.Error)})
	}
	return list
}

// reason is an error in brackets, where there is one.
func reason(text string) string {
	if text == "" {
		return ""
	}
	return " (" + Harmless(text) + ")"
}

func (s *Situation) breakerFindings() []Finding {
	if s.Fleet == nil {
		return nil
	}
	var list []Finding
	for _, name := range s.Fleet.BreakerNames() {
		b := s.Fleet.Breaker(name)
		if b.State == StateClosed || b.State == StateUnknown {
			continue
		}
		fresh, same, _ := b.Reporting()
		text := fmt.Sprintf("%s %s on %d/%d replicas", Harmless(name), strings.ReplaceAll(b.State, "_", " "), same, fresh)
		level := LevelIncident
		if b.Order != nil && b.Order.Mode == BreakerTripped {
			level, text = LevelWatch, Harmless(name)+" tripped by "+Harmless(b.Order.Actor)
		}
		if !b.OpenedAt.IsZero() {
			text += " for " + Span(s.Fleet.Controls.Now.Sub(b.OpenedAt).Truncate(time.Second))
		}
		list = append(list, Finding{level, "breakers", text})
	}
	return list
}

func (s *Situation) queueFindings(broken bool) []Finding {
	if s.Queue == nil {
		return nil
	}
	var list []Finding
	if n := s.Queue.Total(AlertQueued, AlertPending); n > 0 {
		age := s.Queue.Now.Sub(s.Queue.OldestWaiting)
		if s.Queue.OldestWaiting.IsZero() {
			age = 0
		}
		text := fmt.Sprintf("%s waiting, oldest %s%s", Count(n, "alert"), Span(age.Truncate(time.Second)), s.growth())
		switch {
		case age >= patience:
			list = append(list, Finding{LevelIncident, "queue", text})
		case age >= patience/5 || broken:
			list = append(list, Finding{LevelWatch, "queue", text})
		}
	}
	if n := s.Queue.Total(AlertFailed); n > 0 {
		text := Count(n, "alert") + " failed"
		if !s.Queue.OldestFailed.IsZero() {
			text += ", oldest " + Span(s.Queue.Now.Sub(s.Queue.OldestFailed).Truncate(time.Second))
		}
		list = append(list, Finding{LevelWatch, "causes", text})
	}
	return list
}

// growth words where the queue goes; "" while that is not known.
func (s *Situation) growth() string {
	switch {
	case s.Growth == nil:
		return ""
	case *s.Growth >= 1:
		return fmt.Sprintf(", growing %.0f/min", *s.Growth)
	case *s.Growth <= -1:
		return fmt.Sprintf(", shrinking %.0f/min", -*s.Growth)
	}
	return ", steady"
}

func (s *Situation) replicaFindings() []Finding {
	if s.Fleet == nil {
		return nil
	}
	live := Live(s.Fleet.Replicas)
	gone := len(s.Fleet.Replicas) - len(live)
	switch {
	case len(live) == 0:
		return []Finding{{LevelIncident, "replicas", "no replica reports: is chatops serve running?"}}
	case gone > 0:
		return []Finding{{LevelWatch, "replicas", fmt.Sprintf("%d of %d replicas stopped reporting", gone, len(s.Fleet.Replicas))}}
	}
	return nil
}

func (s *Situation) limitFindings() []Finding {
	if s.Fleet == nil {
		return nil
	}
	var list []Finding
	for _, name := range s.Fleet.LimitNames() {
		l := s.Fleet.Limit(name)
		if l.Denied == 0 {
			continue
		}
		text := fmt.Sprintf("limit %s denies %d/min", Harmless(name), l.Denied)
		if len(l.TopDenied) > 0 {
			text += ", most to " + Harmless(l.TopDenied[0].Client)
		}
		list = append(list, Finding{LevelWatch, "limits", text})
	}
	backends := map[string]int{}
	live := Live(s.Fleet.Replicas)
	for i := range live {
		backends[live[i].Report.Limiter.Backend]++
	}
	if backends["redis"] > 0 && backends["local"] > 0 {
		list = append(list, Finding{LevelWatch, "limits", fmt.Sprintf("%d/%d replicas limit without redis", backends["local"], len(live))})
	}
	return list
}

func (s *Situation) jobFindings() []Finding {
	if s.Jobs == nil {
		return nil
	}
	var replicas []Instance
	if s.Fleet != nil {
		replicas = s.Fleet.Replicas
	}
	var list []Finding
	for _, name := range s.Jobs.JobNames(replicas) {
		j := s.Jobs.FleetJob(name, replicas)
		switch {
		case j.State == JobLate || j.State == JobInterrupted || j.State == JobPaused:
			list = append(list, Finding{LevelWatch, "jobs", "job " + Harmless(name) + " " + j.State})
		case j.Failed():
			list = append(list, Finding{LevelWatch, "jobs", "job " + Harmless(name) + " failed"})
		}
	}
	return list
}
