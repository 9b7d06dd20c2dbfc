package storetest

import (
	"fmt"
	"strings"
	"time"

	"chatops/internal/chatops"
)

func causeCases() []testCase {
	return []testCase{
		{"Causes_AreCountedByStatusAndHour_LargestFirst", causesCounted},
		{"Causes_AreThoseOfTheFilter_AndTotalsIgnoreTheLimit", causesFiltered},
		{"MarkCause_KeepsWhatIsSaidApart", causeMarked},
		{"CauseState_TellsGrowthSinceTheMute", causeGrown},
		{"MarkCause_RefusesWhatCannotBeStored", causeRefused},
		{"Causes_FollowTheModel", causesFollowTheModel},
	}
}

var inTrouble = chatops.AlertFilter{Statuses: []chatops.AlertStatus{chatops.AlertPending, chatops.AlertFailed}}

func (e *env) causes(f chatops.AlertFilter, limit int) *chatops.CauseList {
	e.t.Helper()
	list, err := e.store.Causes(e.ctx, f, limit)
	e.must(err)
	return list
}

func (e *env) say(o chatops.CauseOrder) *chatops.CauseMark {
	e.t.Helper()
	o.Actor = "ola"
	mark, err := e.store.MarkCause(e.ctx, o)
	e.must(err)
	return mark
}

func (e *env) causeState(fingerprint string) *chatops.CauseState {
	e.t.Helper()
	state, err := e.store.CauseState(e.ctx, fingerprint)
	e.must(err)
	return state
}

func causesCounted(e *env) {
	if list := e.causes(inTrouble, 10); len(list.Causes) != 0 || list.Groups != 0 || list.Alerts != 0 || list.Now.IsZero() {
		e.t.Fatalf("causes of an empty queue: %+v", list)
	}
	now := e.clock.Peek().Truncate(time.Second)
	ago := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	e.cause("slack:503",
		e.insertRaw(slackLane, "pending", "oldest", ago(300)), e.insertRaw(slackLane, "failed", "it failed", ago(90)),
		e.insertRaw(slackLane, "pending", "newest", ago(5)), e.insertRaw(slackLane, "delivered", "", ago(5)))
	sample := e.insertRaw(mondayLane, "pending", "waits", ago(30))
	e.cause("monday:limit", sample)
	e.exec(fmt.Sprintf(`INSERT INTO delivery_attempt (alert_id, started_at, duration_ms, outcome, http_status)
		VALUES (%[1]d, '%[2]s', 3, 'transient', 500), (%[1]d, '%[2]s', 3, 'rate_limited', 429)`, sample, ago(1).Format(sqlTime)))
	e.insertRaw(mondayLane, "failed", "nobody knows", ago(70))
	list := e.causes(inTrouble, 10)
	if list.Groups != 3 || list.Alerts != 5 || list.Now.Before(now) {
		e.t.Fatalf("%d groups of %d alerts at %s", list.Groups, list.Alerts, list.Now)
	}
	var got []string
	for i := range list.Causes {
		c := &list.Causes[i]
		got = append(got, fmt.Sprintf("%s %v %d/%d %s-%s %s %s %q %s %d", c.Fingerprint, c.Counts, c.LastHour, c.HourBefore,
			c.First.Format(time.TimeOnly), c.Last.Format(time.TimeOnly), c.EventType, c.Target, c.Sample, c.Outcome, c.SampleStatus))
	}
	between := func(first, last int) string {
		return ago(first).Format(time.TimeOnly) + "-" + ago(last).Format(time.TimeOnly)
	}
	want := []string{
		"slack:503 map[failed:1 pending:2] 1/1 " + between(300, 5) + ` slack_alert slack:alerts "it failed"  0`,
		"monday:limit map[pending:1] 1/0 " + between(30, 30) + ` monday_item monday:leads "waits" rate_limited 429`,
		" map[failed:1] 0/1 " + between(70, 70) + ` monday_item monday:leads "nobody knows"  0`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		e.t.Fatalf("causes\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func causesFiltered(e *env) {
	at := e.clock.Peek().Truncate(time.Second)
	for i, n := range []int{1, 3, 2} {
		for range n {
			e.cause(fmt.Sprint("cause:", i), e.insertRaw(slackLane, "failed", "x", at))
		}
	}
	e.cause("cause:1", e.insertRaw(mondayLane, "queued", "", at), e.insertRaw(mondayLane, "discarded", "100% x", at))
	for _, tt := range []struct {
		name           string
		filter         chatops.AlertFilter
		limit          int
		groups, alerts int64
		first          string
	}{
		{"in trouble", inTrouble, 10, 3, 6, "cause:1"},
		{"more than the limit", inTrouble, 1, 3, 6, "cause:1"},
		{"no status: all", chatops.AlertFilter{}, 10, 3, 8, "cause:1"},
		{"of a target", chatops.AlertFilter{Targets: []string{mondayLane}}, 10, 1, 2, "cause:1"},
		{"of a type and a text", chatops.AlertFilter{Types: []string{eventType(mondayLane)}, Error: "100%"}, 10, 1, 1, "cause:1"},
		{"of a fingerprint", chatops.AlertFilter{Fingerprint: "cause:2"}, 10, 1, 2, "cause:2"},
		{"later", chatops.AlertFilter{Since: at.Add(time.Second)}, 10, 0, 0, ""},
	} {
		list := e.causes(tt.filter, tt.limit)
		first := ""
		if len(list.Causes) > 0 {
			first = list.Causes[0].Fingerprint
		}
		if list.Groups != tt.groups || list.Alerts != tt.alerts || first != tt.first || len(list.Causes) > tt.limit {
			e.t.Errorf("%s: %d groups of %d alerts, %d shown, first %q", tt.name, list.Groups, list.Alerts, len(list.Causes), first)
		}
	}
}

func causeMarked(e *env) {
	e.cause("slack:503", e.insertRaw(slackLane, "failed", "x", e.clock.Peek()), e.insertRaw(slackLane, "delivered", "", e.clock.Peek()))
	if state := e.causeState("slack:503"); state.CauseMark != (chatops.CauseMark{Fingerprint: "slack:503"}) || state.Size != 1 || state.Standing() != chatops.StandingOpen {
		e.t.Fatalf("nobody said anything: %+v", state)
	}
	e.say(chatops.CauseOrder{Fingerprint: "slack:503", Verb: chatops.CauseNote, Text: "Łódź: token 'wygasł'"})
	e.say(chatops.CauseOrder{Fingerprint: "slack:503", Verb: chatops.CauseAck})
	mark := e.say(chatops.CauseOrder{Fingerprint: "slack:503", Verb: chatops.CauseMute, Text: "until Monday", For: 48 * time.Hour})
	if mark.Note != "Łódź: token 'wygasł'" || mark.NoteBy != "ola" || mark.NoteAt.IsZero() || mark.AckBy != "ola" || mark.AckAt.IsZero() ||
		mark.MutedBy != "ola" || mark.MutedReason != "until Monday" || mark.MutedUntil.Sub(mark.MutedAt) != 48*time.Hour ||
		mark.SeenSize != 1 || !mark.SeenAt.Equal(mark.MutedAt) || mark.SeenAt.Location() != time.UTC {
		e.t.Fatalf("mark %+v", mark)
	}
	listed := e.causes(inTrouble, 1).Causes[0].CauseMark
	if state := e.causeState("slack:503"); state.CauseMark != *mark || listed != *mark || state.Standing() != chatops.StandingMuted {
		e.t.Fatalf("state %+v and list %+v, want the mark %+v", state.CauseMark, listed, *mark)
	}
	e.say(chatops.CauseOrder{Fingerprint: "slack:503", Verb: chatops.CauseUnmute})
	mark = e.say(chatops.CauseOrder{Fingerprint: "slack:503", Verb: chatops.CauseNote})
	if mark.Note != "" || mark.MutedBy+mark.MutedReason != "" || !mark.MutedUntil.IsZero() || !mark.MutedAt.IsZero() || mark.AckAt.IsZero() {
		e.t.Fatalf("mark %+v after unmute and an empty note", mark)
	}
	if state := e.causeState("slack:503"); state.Standing() != chatops.StandingAcknowledged {
		e.t.Fatalf("standing %s", state.Standing())
	}
}

func causeGrown(e *env) {
	fail := func(n int) {
		for range n {
			e.cause("slack:503", e.insertRaw(slackLane, "failed", "x", e.clock.Peek()))
		}
	}
	fail(3)
	e.clock.Advance(time.Minute)
	e.say(chatops.CauseOrder{Fingerprint: "slack:503", Verb: chatops.CauseMute, For: time.Hour})
	e.clock.Advance(time.Minute)
	fail(9)
	if state := e.causeState("slack:503"); state.Size != 12 || state.Since != 9 || !state.Quiet() {
		e.t.Fatalf("before it grew: %+v", state)
	}
	e.exec(`UPDATE dead_letter_queue SET status = 'discarded' WHERE fingerprint = 'slack:503'`)
	fail(10)
	if state := e.causeState("slack:503"); state.Size != 10 || state.Since != 10 || state.Standing() != chatops.StandingGrowing {
		e.t.Fatalf("emptied, then filled again: %+v", state)
	}
	e.clock.Advance(2 * time.Hour)
	if state := e.causeState("slack:503"); state.Standing() != chatops.StandingOpen {
		e.t.Fatalf("the mute is over: %s", state.Standing())
	}
}

func causeRefused(e *env) {
	for _, o := range []chatops.CauseOrder{
		{Verb: chatops.CauseAck}, {Fingerprint: "f", Verb: "forget"}, {Fingerprint: "f", Verb: chatops.CauseMute},
		{Fingerprint: strings.Repeat("f", 65), Verb: chatops.CauseAck},
		{Fingerprint: "f", Verb: chatops.CauseNote, Text: strings.Repeat("n", 2001)},
	} {
		_, err := e.store.MarkCause(e.ctx, o)
		e.wantCode(err, chatops.CodeInvalid)
	}
}
