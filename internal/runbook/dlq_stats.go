package runbook

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

type dlqStats struct{ selection }

// newDLQStats makes `dlq stats`.
func newDLQStats(env *Env) *cobra.Command {
	c := &dlqStats{}
	cmd := &cobra.Command{
		Use: "stats", Short: "Count alerts by type and status", Args: noArgs,
		Long: "Count alerts by type and status. The age of the oldest waiting and failed alert\nbelongs to the whole queue and is left out when filters are given.",
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	c.register(cmd, "all")
	return cmd
}

// queueSummary is the result of `dlq stats`.
type queueSummary struct {
	Counts           []countView                   `json:"counts"`
	ByStatus         map[chatops.AlertStatus]int64 `json:"by_status"`
	Total            int64                         `json:"total"`
	OldestWaitingAt  timestamp                     `json:"oldest_waiting_at"`
	OldestWaitingAge *int64                        `json:"oldest_waiting_age_seconds"`
	OldestFailedAt   timestamp                     `json:"oldest_failed_at"`
	OldestFailedAge  *int64                        `json:"oldest_failed_age_seconds"`
}

type countView struct {
	EventType string              `json:"event_type"`
	Status    chatops.AlertStatus `json:"status"`
	Count     int64               `json:"count"`
}

func (c *dlqStats) run(ctx context.Context, env *Env) error {
	filter, err := c.filter(env.NowFunc(), nil)
	if err != nil {
		return err
	}
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	stats, err := store.QueueStats(ctx)
	if err == nil && c.given() {
		stats, err = countFiltered(ctx, store, filter, stats)
	}
	if err != nil {
		return unreachable(cfg, err)
	}
	return env.render(summarise(stats))
}

// countFiltered counts what matches the filter, for each type and status that
// the queue has at all.
func countFiltered(ctx context.Context, store chatops.AlertStore, f chatops.AlertFilter, all *chatops.QueueStats) (*chatops.QueueStats, error) {
	stats := &chatops.QueueStats{Now: all.Now}
	for _, c := range all.Counts {
		if len(f.Statuses) > 0 && !slices.Contains(f.Statuses, c.Status) || len(f.Types) > 0 && !slices.Contains(f.Types, c.EventType) {
			continue
		}
		one := f
		one.Statuses, one.Types = []chatops.AlertStatus{c.Status}, []string{c.EventType}
		n, err := store.CountAlerts(ctx, one)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			stats.Counts = append(stats.Counts, chatops.AlertCount{EventType: c.EventType, Status: c.Status, Count: n})
		}
	}
	return stats, nil
}

// summarise orders the counts by type and the life of an alert.
func summarise(stats *chatops.QueueStats) *queueSummary {
	s := &queueSummary{
		Counts: []countView{}, ByStatus: map[chatops.AlertStatus]int64{},
		OldestWaitingAt: timestamp(stats.OldestWaiting), OldestFailedAt: timestamp(stats.OldestFailed),
		OldestWaitingAge: ageSeconds(stats.OldestWaiting, stats.Now), OldestFailedAge: ageSeconds(stats.OldestFailed, stats.Now),
	}
	order := chatops.AlertStatuses()
	for _, status := range order {
		s.ByStatus[status] = stats.Total(status)
		s.Total += s.ByStatus[status]
	}
	for _, c := range stats.Counts {
		s.Counts = append(s.Counts, countView(c))
	}
	slices.SortFunc(s.Counts, func(a, b countView) int {
		if a.EventType != b.EventType {
			return strings.Compare(a.EventType, b.EventType)
		}
		return slices.Index(order, a.Status) - slices.Index(order, b.Status)
	})
	return s
}

// ageSeconds is how long ago at was, nil when it never was.
func ageSeconds(at, now time.Time) *int64 {
	if at.IsZero() {
		return nil
	}
	age := max(int64(now.Sub(at)/time.Second), 0)
	return &age
}

func (s *queueSummary) elements() []any { return pointers(s.Counts) }

func (s *queueSummary) sections(bool) []section {
	counts := section{columns: []column{{name: "type", flex: true}}}
	for _, status := range chatops.AlertStatuses() {
		counts.columns = append(counts.columns, column{name: string(status), right: true})
	}
	byType := map[string]map[chatops.AlertStatus]int64{}
	for _, c := range s.Counts {
		if byType[c.EventType] == nil {
			byType[c.EventType] = map[chatops.AlertStatus]int64{}
		}
		byType[c.EventType][c.Status] += c.Count
	}
	for _, name := range slices.Sorted(maps.Keys(byType)) {
		counts.rows = append(counts.rows, countRow(name, byType[name]))
	}
	counts.rows = append(counts.rows, countRow("total", s.ByStatus))
	list := []section{counts}
	var ages []string
	for _, o := range []struct {
		name string
		at   timestamp
		age  *int64
	}{{"oldest waiting", s.OldestWaitingAt, s.OldestWaitingAge}, {"oldest failed", s.OldestFailedAt, s.OldestFailedAge}} {
		if o.age != nil {
			ages = append(ages, o.name, o.at.short()+" ("+(time.Duration(*o.age)*time.Second).String()+" ago)")
		}
	}
	if len(ages) > 0 {
		list = append(list, fields(ages...))
	}
	return list
}

func countRow(name string, counts map[chatops.AlertStatus]int64) []string {
	row := []string{name}
	for _, status := range chatops.AlertStatuses() {
		row = append(row, strconv.FormatInt(counts[status], 10))
	}
	return row
}
