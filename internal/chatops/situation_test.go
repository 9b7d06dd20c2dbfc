package chatops_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

var midday = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// calm is a fleet of two replicas in which nothing is wrong.
func calm() *chatops.Situation {
	report := chatops.InstanceReport{
		Breakers: []chatops.BreakerReport{{Name: "slack", State: chatops.StateClosed, FailMax: 5}},
		Limiter:  chatops.LimiterReport{Enabled: true, Backend: "redis", Limits: []chatops.LimitReport{{Name: "chat", Value: "30 per minute", Source: "default", Allowed: 3}}},
	}
	return &chatops.Situation{
		At:    midday,
		Queue: &chatops.QueueStats{Now: midday},
		Fleet: &chatops.Fleet{
			Controls: &chatops.Controls{Now: midday},
			Replicas: []chatops.Instance{{Name: "a", Report: report}, {Name: "b", Report: chatops.InstanceReport{
				Breakers: slices.Clone(report.Breakers), Limiter: report.Limiter,
			}}},
		},
		Jobs: &chatops.JobList{Now: midday},
	}
}

func TestSituation_WordsWhatIsWrong_WorstFirst(t *testing.T) {
	t.Parallel()
	waiting := func(s *chatops.Situation, n int64, age time.Duration) {
		s.Queue.Counts = append(s.Queue.Counts, chatops.AlertCount{EventType: "slack_alert", Status: chatops.AlertPending, Count: n})
		s.Queue.OldestWaiting = midday.Add(-age)
	}
	open := func(s *chatops.Situation) {
		s.Fleet.Replicas[0].Report.Breakers[0].State = chatops.StateOpen
		s.Fleet.Replicas[0].Report.Breakers[0].OpenedAt = midday.Add(-4 * time.Minute)
	}
	grow := func(n float64) *float64 { return &n }
	tests := []struct {
		name    string
		breaks  func(*chatops.Situation)
		level   chatops.Level
		verdict string
	}{
		{"nothing", func(*chatops.Situation) {}, chatops.LevelOK, "nothing needs you"},
		{"nothing is known", func(s *chatops.Situation) { *s = chatops.Situation{} }, chatops.LevelUnknown, "waiting for the first answers"},
		{"the queue is not known", func(s *chatops.Situation) { s.Queue = nil }, chatops.LevelUnknown, "waiting for the first answers"},
		{"fresh alerts are no finding", func(s *chatops.Situation) { waiting(s, 3, time.Second) }, chatops.LevelOK, "nothing needs you"},
		{"Slack is down", func(s *chatops.Situation) {
			open(s)
			waiting(s, 132, 6*time.Minute)
			s.Growth = grow(20)
		}, chatops.LevelIncident, "slack open on 1/2 replicas for 4m; 132 alerts waiting, oldest 6m, growing 20/min"},
		{"Slack has just gone down", func(s *chatops.Situation) {
			open(s)
			waiting(s, 1, time.Second)
			s.Growth = grow(-7)
		}, chatops.LevelIncident, "slack open on 1/2 replicas for 4m; 1 alert waiting, oldest 1s, shrinking 7/min"},
		{"alerts wait", func(s *chatops.Situation) { waiting(s, 2, 2*time.Minute); s.Growth = grow(0) }, chatops.LevelWatch, "2 alerts waiting, oldest 2m, steady"},
		{"tripped", func(s *chatops.Situation) {
			s.Fleet.Controls.Breakers = []chatops.BreakerOrder{{Name: "slack", Mode: chatops.BreakerTripped, Actor: "jan", CreatedAt: midday.Add(-time.Minute)}}
		}, chatops.LevelWatch, "slack tripped by jan for 1m"},
		{"failed", func(s *chatops.Situation) {
			s.Queue.Counts = []chatops.AlertCount{{EventType: "x", Status: chatops.AlertFailed, Count: 5}}
			s.Queue.OldestFailed = midday.Add(-2 * time.Hour)
		}, chatops.LevelWatch, "5 alerts failed, oldest 2h"},
		{"a client hammers", func(s *chatops.Situation) {
			l := &s.Fleet.Replicas[0].Report.Limiter
			l.Limits = []chatops.LimitReport{{Name: "chat", Denied: 270, TopDenied: []chatops.DeniedClient{{Client: "203.0.113.7", Count: 270}}}}
		}, chatops.LevelWatch, "limit chat denies 270/min, most to 203.0.113.7"},
		{"one counts by itself", func(s *chatops.Situation) { s.Fleet.Replicas[1].Report.Limiter.Backend = "local" }, chatops.LevelWatch, "1/2 replicas limit without redis"},
		{"one is gone", func(s *chatops.Situation) { s.Fleet.Replicas[1].Age = time.Minute }, chatops.LevelWatch, "1 of 2 replicas stopped reporting"},
		{"all are gone", func(s *chatops.Situation) { s.Fleet.Replicas = nil }, chatops.LevelIncident, "no replica reports"},
		{"a job is late", func(s *chatops.Situation) {
			s.Jobs.Jobs = []chatops.JobState{{Name: "followups", NextRun: midday.Add(-time.Hour)}, {Name: "cleanup", LastResult: "failed: x"}}
		}, chatops.LevelWatch, "job cleanup failed; job followups late"},
		{"the database is away", func(s *chatops.Situation) {
			s.Sources = []chatops.SourceTrouble{{Name: "redis", Since: midday.Add(-time.Second)}, {Name: "postgresql", Since: midday.Add(-90 * time.Second)}}
		}, chatops.LevelIncident, "postgresql does not answer for 1m 30s; redis does not answer for 1s"},
		{"hostile names", func(s *chatops.Situation) {
			s.Fleet.Controls.Breakers = []chatops.BreakerOrder{{Name: "x\x1b[2J", Mode: chatops.BreakerTripped, Actor: "\a"}}
		}, chatops.LevelWatch, `x\x1b[2J tripped by \x07`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := calm()
			tt.breaks(s)
			level, verdict := s.Verdict()
			if level != tt.level || !strings.HasPrefix(verdict, tt.verdict) {
				t.Errorf("%s %q, want %s %q", level, verdict, tt.level, tt.verdict)
			}
		})
	}
}
