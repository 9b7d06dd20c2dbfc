package runbook

import (
	"fmt"
	"strconv"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// situationView is the result of `dashboard --once`. Its parts are the results of
// the commands that show them alone; null is what could not be read.
type situationView struct {
	At       timestamp         `json:"at"`
	Level    chatops.Level     `json:"level"`
	Verdict  string            `json:"verdict"`
	Findings []chatops.Finding `json:"findings"`
	Sources  []sourceView      `json:"failing_sources"`
	Queue    *queueSummary     `json:"queue"`
	Causes   *[]causeView      `json:"causes"`
	// CauseCount is how many causes there are, of which the largest are listed;
	// MoreCauses: at least so many.
	CauseCount *int           `json:"cause_count"`
	MoreCauses bool           `json:"cause_count_at_least"`
	Breakers   *[]breakerView `json:"breakers"`
	Limiter    *limiterView   `json:"limiter"`
	Jobs       *[]jobView     `json:"jobs"`
	Replay     *replayView    `json:"replay"` // null: it is what is now

	now time.Time
}

// replayView is the record that a situation is from.
type replayView struct {
	File        string    `json:"file"`
	Environment string    `json:"environment"`
	Host        string    `json:"host"`
	Version     string    `json:"version"`
	From        timestamp `json:"from"`
	Until       timestamp `json:"until"`
	Cut         bool      `json:"cut_off"` // its last line is not whole
}

// viewReplayed is a record as it is shown; nil for none.
func viewReplayed(file string, r *Replayed) *replayView {
	if r == nil {
		return nil
	}
	return &replayView{file, r.Environment, r.Host, r.Version, timestamp(r.From), timestamp(r.Until), r.Cut}
}

// words say what a record is of.
func (r *replayView) words() string {
	text := fmt.Sprintf("%s, %s at %s, from %s to %s", r.File, r.Environment, r.Host, r.From.short(), r.Until.short())
	if r.Cut {
		text += ", the last line is cut off"
	}
	return text
}

// sourceView is a source that does not answer.
type sourceView struct {
	Name  string    `json:"name"`
	Since timestamp `json:"since"`
	Error string    `json:"error"`
}

// causeView is the trouble of one cause.
type causeView struct {
	Fingerprint string    `json:"fingerprint"`
	Pending     int64     `json:"pending"`
	Failed      int64     `json:"failed"`
	AtLeast     bool      `json:"at_least"` // there are more than were counted
	First       timestamp `json:"first_at"`
	Last        timestamp `json:"last_at"`
	EventType   string    `json:"event_type"`
	Target      string    `json:"target"`
	Sample      string    `json:"sample"`
}

// viewSituation is a situation as it is shown.
func viewSituation(cfg *config.Config, s *chatops.Situation) *situationView {
	v := &situationView{At: timestamp(s.At), Findings: s.Findings(), Sources: []sourceView{}, now: s.At}
	v.Level, v.Verdict = s.VerdictOf(v.Findings)
	if v.Findings == nil {
		v.Findings = []chatops.Finding{}
	}
	for _, t := range s.Sources {
		v.Sources = append(v.Sources, sourceView{t.Name, timestamp(t.Since), t.Error})
	}
	if s.Queue != nil {
		v.Queue, v.now = summarise(s.Queue), s.Queue.Now
	}
	if s.Groups != nil {
		v.CauseCount, v.MoreCauses = &s.Groups.Causes, s.Groups.More
		causes := make([]causeView, len(s.Groups.Groups))
		for i, g := range s.Groups.Groups {
			causes[i] = causeView{
				g.Fingerprint, g.Pending, g.Failed, g.More, timestamp(g.First), timestamp(g.Last), g.EventType, chatops.ShownTarget(g.Target), g.Sample,
			}
		}
		v.Causes = &causes
	}
	var replicas []chatops.Instance
	if s.Fleet != nil {
		f := &fleet{*s.Fleet}
		v.Breakers, v.Limiter, replicas = &f.listBreakers(f.breakers(cfg), false).Breakers, f.viewLimiter(), s.Fleet.Replicas
	}
	if s.Jobs != nil {
		if list, err := (&schedule{s.Jobs, replicas}).list(nil); err == nil {
			v.Jobs = &list.Jobs
		}
	}
	return v
}

// verdict is an error where the database did not answer.
func (v *situationView) verdict(cfg *config.Config) error {
	for _, s := range v.Sources {
		if s.Name != "redis" {
			return unreachable(cfg, chatops.Errorf(chatops.CodeUnavailable, "%s", s.Error))
		}
	}
	return nil
}

func (v *situationView) sections(wide bool) []section {
	head := []string{"level", string(v.Level), "verdict", v.Verdict, "at", v.At.short()}
	if v.Replay != nil {
		head = append([]string{"replay", v.Replay.words()}, head...)
	}
	list := []section{fields(head...)}
	add := func(title string, parts []section) {
		for i := range parts {
			if i == 0 {
				parts[i].title = title
			}
			list = append(list, parts[i])
		}
	}
	if v.Queue != nil {
		add("queue", v.Queue.sections(wide))
	}
	if v.Causes != nil && len(*v.Causes) > 0 {
		add("causes", []section{causeSection(*v.Causes, v.now)})
	}
	if v.Breakers != nil {
		add("breakers", (&breakerList{Breakers: *v.Breakers}).sections(wide))
	}
	if v.Limiter != nil {
		add("limits", v.Limiter.sections(wide))
	}
	if v.Jobs != nil && len(*v.Jobs) > 0 {
		add("jobs", (&jobList{Jobs: *v.Jobs}).sections(wide))
	}
	return list
}

func causeSection(causes []causeView, now time.Time) section {
	s := section{columns: []column{
		{name: "alerts", right: true}, {name: "failed", right: true}, {name: "first"}, {name: "last"}, {name: "cause", flex: true}, {name: "target", flex: true}, {name: "sample", flex: true},
	}}
	for _, c := range causes {
		count := strconv.FormatInt(c.Pending+c.Failed, 10)
		if c.AtLeast {
			count += "+"
		}
		s.rows = append(s.rows, []string{
			count, fmt.Sprint(c.Failed), ago(time.Time(c.First), now), ago(time.Time(c.Last), now), c.Fingerprint, c.Target, c.Sample,
		})
	}
	return s
}
