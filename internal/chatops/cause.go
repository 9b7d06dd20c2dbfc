package chatops

import (
	"context"
	"time"
)

// Cause is the alerts of one fingerprint that match a filter, and what operators
// have said about it.
type Cause struct {
	CauseMark                          // its fingerprint is "" for alerts whose cause is not known
	Counts       map[AlertStatus]int64 // exact; statuses without alerts are left out
	First, Last  time.Time             // created_at of the oldest and newest
	LastHour     int64                 // created within the last hour
	HourBefore   int64                 // created within the hour before that
	SampleID     int64                 // the newest failed alert, or the newest of all where none has failed
	EventType    string                // these are the sample's
	Target       string
	Sample       string // redacted error text
	Outcome      string // of its last attempt; "" when there was none
	SampleStatus int    // HTTP status of that attempt, 0 without a reply
}

// Total is the number of the cause's alerts.
func (c *Cause) Total() int64 {
	var n int64
	for _, count := range c.Counts {
		n += count
	}
	return n
}

// CauseList is the largest causes of the alerts that match a filter.
type CauseList struct {
	Causes []Cause
	// Groups and Alerts count all that match, also those beyond the limit, and
	// those of causes that are muted.
	Groups, Alerts int64
	Now            time.Time // the database's clock
}

// CauseMark is what operators have said about a cause. Every field is zero for a
// cause that nobody has said anything about.
type CauseMark struct {
	Fingerprint string
	Note        string
	NoteBy      string
	NoteAt      time.Time
	AckBy       string
	AckAt       time.Time
	MutedBy     string
	MutedReason string
	MutedAt     time.Time
	MutedUntil  time.Time
	// SeenAt and SeenSize are when the cause was muted or acknowledged last, and
	// how many of its alerts were pending or failed then.
	SeenAt   time.Time
	SeenSize int64
}

// AckHolds is how long an acknowledgement keeps mails about a cause back.
const AckHolds = 24 * time.Hour

// The growth that an operator who has muted a cause hears of: as much again as
// there was, but not for less than the first number, and always for the second.
const (
	growthLeast = 10
	growthMost  = 100
)

// Growth is by how many alerts the cause has to grow to be shown as growing
// again although it was muted or acknowledged.
func (m *CauseMark) Growth() int64 { return min(max(m.SeenSize, growthLeast), growthMost) }

// Muted says whether the cause is muted.
func (m *CauseMark) Muted(now time.Time) bool { return m.MutedUntil.After(now) }

// Acknowledged says whether somebody has said lately that they are at it.
func (m *CauseMark) Acknowledged(now time.Time) bool {
	return !m.AckAt.IsZero() && now.Before(m.AckAt.Add(AckHolds))
}

// Grown says whether a cause of a size, of which some alerts came since it was
// muted or acknowledged, has grown so much since that a mute hides it no longer.
// It is measured both ways, because a cause may be emptied and fill again.
func (m *CauseMark) Grown(size, since int64) bool {
	return !m.SeenAt.IsZero() && max(size-m.SeenSize, since) >= m.Growth()
}

// CauseState is the mark of a cause and how it has grown since.
type CauseState struct {
	CauseMark
	// Size are its pending and failed alerts and Since those of them that were
	// created since SeenAt. Both stop where they suffice for Grown.
	Size, Since int64
	Now         time.Time // the database's clock
}

// Standing is the state in which a cause is.
type Standing string

// The states of a cause.
const (
	StandingOpen         Standing = "open"
	StandingAcknowledged Standing = "acknowledged"
	StandingMuted        Standing = "muted"
	StandingGrowing      Standing = "growing" // muted or acknowledged, and growing again
)

// Standing is the state of the cause.
func (s *CauseState) Standing() Standing {
	muted, acknowledged := s.Muted(s.Now), s.Acknowledged(s.Now)
	switch {
	case (muted || acknowledged) && s.Grown(s.Size, s.Since):
		return StandingGrowing
	case muted:
		return StandingMuted
	case acknowledged:
		return StandingAcknowledged
	}
	return StandingOpen
}

// Quiet says whether nobody needs to be told about the cause again.
func (s *CauseState) Quiet() bool {
	standing := s.Standing()
	return standing == StandingMuted || standing == StandingAcknowledged
}

// CauseVerb is what an operator says about a cause.
type CauseVerb string

// What can be said about a cause.
const (
	CauseNote   CauseVerb = "note"
	CauseAck    CauseVerb = "ack"
	CauseMute   CauseVerb = "mute"
	CauseUnmute CauseVerb = "unmute"
)

// CauseOrder is something said about a cause.
type CauseOrder struct {
	Fingerprint string
	Verb        CauseVerb
	Actor       string
	Text        string        // of a note, "" to remove it; the reason of a mute
	For         time.Duration // of a mute
}

const maxFingerprint = 64

// maxCauseText is how long a note or reason may be, in bytes.
const maxCauseText = 2000

// Validate reports the first field that cannot be stored, as CodeInvalid.
func (o *CauseOrder) Validate() error {
	switch {
	case o.Fingerprint == "" || len(o.Fingerprint) > maxFingerprint:
		return Errorf(CodeInvalid, "fingerprint of %d characters: must have 1 to %d", len(o.Fingerprint), maxFingerprint)
	case len(o.Text) > maxCauseText:
		return Errorf(CodeInvalid, "text of %d bytes: at most %d", len(o.Text), maxCauseText)
	case o.Verb == CauseMute && o.For <= 0:
		return Errorf(CodeInvalid, "a mute needs an end")
	}
	switch o.Verb {
	case CauseNote, CauseAck, CauseMute, CauseUnmute:
		return nil
	}
	return Errorf(CodeInvalid, "nothing is known to %q a cause", string(o.Verb))
}

// CauseStore keeps what operators say about causes.
type CauseStore interface {
	// Causes returns the causes of the alerts that match, the largest first: at
	// most limit of them, with exact counts.
	Causes(ctx context.Context, f AlertFilter, limit int) (*CauseList, error)
	// CauseState returns the mark and growth of a cause. What nobody has said
	// anything about has an empty mark.
	CauseState(ctx context.Context, fingerprint string) (*CauseState, error)
	// MarkCause stores what was said and returns the mark as it stands. An
	// acknowledgement or a mute remembers the cause's size of that moment.
	MarkCause(ctx context.Context, o CauseOrder) (*CauseMark, error)
}
