package runbook

import (
	"fmt"
	"time"

	"chatops/internal/chatops"
)

// groupView is a cause of trouble as lists show it.
type groupView struct {
	Fingerprint string                        `json:"fingerprint"` // "" when the cause is not known
	Integration string                        `json:"integration"`
	Code        string                        `json:"code"` // of the newest failure: http_503, or how it was judged
	EventType   string                        `json:"event_type"`
	Target      string                        `json:"target"`
	State       chatops.Standing              `json:"state"`
	Count       int64                         `json:"count"`
	ByStatus    map[chatops.AlertStatus]int64 `json:"by_status"`
	Trend       groupTrend                    `json:"trend"`
	FirstSeen   timestamp                     `json:"first_seen"`
	LastSeen    timestamp                     `json:"last_seen"`
	SampleID    int64                         `json:"sample_id"`
	Sample      string                        `json:"sample"`
	Note        string                        `json:"note"`
	NoteBy      string                        `json:"note_by"`
	AckBy       *string                       `json:"acknowledged_by"`
	AckAt       timestamp                     `json:"acknowledged_at"`
	MutedBy     *string                       `json:"muted_by"` // null unless it is muted now
	MutedUntil  *timestamp                    `json:"muted_until"`
	MutedReason string                        `json:"muted_reason"`
	Retry       string                        `json:"retry"` // the command that shows what a retry would do
}

// groupTrend compares two hours.
type groupTrend struct {
	LastHour   int64  `json:"last_hour"`
	HourBefore int64  `json:"hour_before"`
	Direction  string `json:"direction"` // rising, falling or steady
}

func (t groupTrend) words() string {
	return fmt.Sprintf("%s %d/h, was %d", t.Direction, t.LastHour, t.HourBefore)
}

// viewGroup makes the view of a cause.
func viewGroup(c *chatops.Cause, standing chatops.Standing) groupView {
	v := groupView{
		Fingerprint: c.Fingerprint, Integration: chatops.Integration(chatops.Lane(chatops.ShownTarget(c.Target))), Code: c.Outcome,
		EventType: c.EventType, Target: chatops.ShownTarget(c.Target), State: standing,
		Count: c.Total(), ByStatus: c.Counts, FirstSeen: timestamp(c.First), LastSeen: timestamp(c.Last),
		SampleID: c.SampleID, Sample: c.Sample, Note: c.Note, NoteBy: c.NoteBy, AckAt: timestamp(c.AckAt),
		Trend: groupTrend{LastHour: c.LastHour, HourBefore: c.HourBefore, Direction: "steady"},
	}
	if c.SampleStatus != 0 {
		v.Code = fmt.Sprintf("http_%d", c.SampleStatus)
	}
	switch {
	case c.LastHour > c.HourBefore:
		v.Trend.Direction = "rising"
	case c.LastHour < c.HourBefore:
		v.Trend.Direction = "falling"
	}
	if !c.AckAt.IsZero() {
		v.AckBy = &c.AckBy
	}
	if standing == chatops.StandingMuted || standing == chatops.StandingGrowing && !c.MutedUntil.IsZero() {
		until := timestamp(c.MutedUntil)
		v.MutedBy, v.MutedUntil, v.MutedReason = &c.MutedBy, &until, c.MutedReason
	}
	if c.Fingerprint != "" {
		v.Retry = commandLine([]string{"dlq", "retry", "--fingerprint", c.Fingerprint, "--dry-run"})
	}
	return v
}

// said words who has said something about the cause.
func (c *groupView) said() string {
	switch {
	case c.MutedUntil != nil:
		text := "muted by " + *c.MutedBy + " until " + time.Time(*c.MutedUntil).UTC().Format(time.RFC3339)
		if c.MutedReason != "" {
			text += " (" + c.MutedReason + ")"
		}
		return text
	case c.AckBy != nil:
		return "acknowledged by " + *c.AckBy + " at " + c.AckAt.short()
	}
	return ""
}
