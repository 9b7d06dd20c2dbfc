package chatops_test

import (
	"slices"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestSituation_FindingsAtTheirEdges(t *testing.T) {
	t.Parallel()
	wait := func(s *chatops.Situation, n int64, age time.Duration) {
		s.Queue.Counts = []chatops.AlertCount{{Status: chatops.AlertQueued, Count: n}}
		s.Queue.OldestWaiting = midday.Add(-age)
	}
	grow := func(s *chatops.Situation, n float64) { wait(s, 2, time.Hour); s.Growth = &n }
	find := func(level chatops.Level, about, text string) []chatops.Finding {
		return []chatops.Finding{{Level: level, About: about, Text: text}}
	}
	for _, c := range []struct {
		name   string
		breaks func(*chatops.Situation)
		want   []chatops.Finding
	}{
		{"nearly a minute", func(s *chatops.Situation) { wait(s, 1, time.Minute-1) }, nil},
		{"a minute", func(s *chatops.Situation) { wait(s, 1, time.Minute) }, find(chatops.LevelWatch, "queue", "1 alert waiting, oldest 1m")},
		{"nearly five", func(s *chatops.Situation) { wait(s, 2, 5*time.Minute-1) }, find(chatops.LevelWatch, "queue", "2 alerts waiting, oldest 4m 59s")},
		{"five minutes", func(s *chatops.Situation) { wait(s, 2, 5*time.Minute) }, find(chatops.LevelIncident, "queue", "2 alerts waiting, oldest 5m")},
		{"nobody knows how long", func(s *chatops.Situation) { wait(s, 9, 0); s.Queue.OldestWaiting = time.Time{} }, nil},
		{"hardly growing", func(s *chatops.Situation) { grow(s, 0.99) }, find(chatops.LevelIncident, "queue", "2 alerts waiting, oldest 1h, steady")},
		{"growing", func(s *chatops.Situation) { grow(s, 1) }, find(chatops.LevelIncident, "queue", "2 alerts waiting, oldest 1h, growing 1/min")},
		{"hardly shrinking", func(s *chatops.Situation) { grow(s, -0.99) }, find(chatops.LevelIncident, "queue", "2 alerts waiting, oldest 1h, steady")},
		{"shrinking", func(s *chatops.Situation) { grow(s, -1) }, find(chatops.LevelIncident, "queue", "2 alerts waiting, oldest 1h, shrinking 1/min")},
		{"one failed, nobody knows when", func(s *chatops.Situation) {
			s.Queue.Counts = []chatops.AlertCount{{Status: chatops.AlertFailed, Count: 1}}
		}, find(chatops.LevelWatch, "causes", "1 alert failed")},
		{"probing", func(s *chatops.Situation) { s.Fleet.Replicas[0].Report.Breakers[0].State = chatops.StateHalfOpen }, find(chatops.LevelIncident, "breakers", "slack half open on 1/2 replicas")},
		{"limits of clients that are not named", func(s *chatops.Situation) {
			s.Fleet.Replicas[0].Report.Limiter.Limits = []chatops.LimitReport{{Name: "api\n", Denied: 1}}
		}, find(chatops.LevelWatch, "limits", `limit api\n denies 1/min`)},
		{"all count by themselves", func(s *chatops.Situation) {
			s.Fleet.Replicas[0].Report.Limiter.Backend, s.Fleet.Replicas[1].Report.Limiter.Backend = "local", "local"
		}, nil},
		{"a job is paused", func(s *chatops.Situation) { s.Jobs.Jobs = []chatops.JobState{{Name: "x", Paused: true}} }, find(chatops.LevelWatch, "jobs", "job x paused")},
		{"a job was interrupted", func(s *chatops.Situation) { s.Jobs.Jobs = []chatops.JobState{{Name: "x", Holder: "r"}} }, find(chatops.LevelWatch, "jobs", "job x interrupted")},
		{"a job is requested", func(s *chatops.Situation) { s.Jobs.Jobs = []chatops.JobState{{Name: "x", Requested: midday}} }, nil},
		{"redis is away", func(s *chatops.Situation) {
			s.Sources = []chatops.SourceTrouble{{Name: "redis", Since: midday.Add(-1500 * time.Millisecond), Error: "refused\x1b"}}
		}, find(chatops.LevelWatch, "sources", `redis does not answer for 1s (refused\x1b)`)},
		{"nothing but redis is known", func(s *chatops.Situation) {
			*s = chatops.Situation{At: midday, Sources: []chatops.SourceTrouble{{Name: "redis", Since: midday}}}
		}, find(chatops.LevelWatch, "sources", "redis does not answer for 0s")},
	} {
		s := calm()
		c.breaks(s)
		if got := s.Findings(); !slices.Equal(got, c.want) {
			t.Errorf("%s: finds %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestSituation_WhatIsOldIsCalledLastKnown(t *testing.T) {
	t.Parallel()
	s := calm()
	s.Sources = []chatops.SourceTrouble{{Name: "postgresql", Since: midday.Add(-time.Minute), Error: "timeout"}}
	s.Queue.Counts = []chatops.AlertCount{{Status: chatops.AlertPending, Count: 7}}
	s.Queue.OldestWaiting = midday.Add(-time.Hour)
	level, text := s.Verdict()
	if want := "postgresql does not answer for 1m (timeout); last known: 7 alerts waiting, oldest 1h"; level != chatops.LevelIncident || text != want {
		t.Errorf("%s %q, want %q", level, text, want)
	}
}
