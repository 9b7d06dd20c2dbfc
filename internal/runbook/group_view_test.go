package runbook

import (
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestViewGroup_TellsWhatIsKnownOfACause(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		cause    chatops.Cause
		standing chatops.Standing
		code     string
		trend    string
		said     string
		retry    string
	}{
		{
			name:     "rising, with a reply",
			cause:    chatops.Cause{CauseMark: chatops.CauseMark{Fingerprint: "abc"}, LastHour: 9, HourBefore: 3, Outcome: "transient", SampleStatus: 503},
			standing: chatops.StandingOpen, code: "http_503", trend: "rising 9/h, was 3", retry: "chatops dlq retry --fingerprint abc --dry-run",
		},
		{
			name:     "falling, without a reply",
			cause:    chatops.Cause{CauseMark: chatops.CauseMark{Fingerprint: "a b"}, HourBefore: 3, Outcome: "transient"},
			standing: chatops.StandingOpen, code: "transient", trend: "falling 0/h, was 3", retry: "chatops dlq retry --fingerprint 'a b' --dry-run",
		},
		{name: "nothing known", standing: chatops.StandingOpen, trend: "steady 0/h, was 0"},
		{
			name:     "muted",
			cause:    chatops.Cause{CauseMark: chatops.CauseMark{MutedBy: "ola", MutedUntil: noon.Add(time.Hour), MutedReason: "ticket", AckBy: "jan", AckAt: noon}},
			standing: chatops.StandingMuted, trend: "steady 0/h, was 0", said: "muted by ola until 2026-03-10T13:00:00Z (ticket)",
		},
		{
			name:     "muted and growing",
			cause:    chatops.Cause{CauseMark: chatops.CauseMark{MutedBy: "ola", MutedUntil: noon.Add(time.Hour)}},
			standing: chatops.StandingGrowing, trend: "steady 0/h, was 0", said: "muted by ola until 2026-03-10T13:00:00Z",
		},
		{
			name:     "the mute is over",
			cause:    chatops.Cause{CauseMark: chatops.CauseMark{MutedBy: "ola", MutedUntil: noon.Add(-time.Hour)}},
			standing: chatops.StandingOpen, trend: "steady 0/h, was 0",
		},
		{
			name:     "acknowledged",
			cause:    chatops.Cause{CauseMark: chatops.CauseMark{AckBy: "jan", AckAt: noon}},
			standing: chatops.StandingAcknowledged, trend: "steady 0/h, was 0", said: "acknowledged by jan at 2026-03-10T12:00:00Z",
		},
	} {
		v := viewGroup(&tt.cause, tt.standing)
		if v.Code != tt.code || v.Trend.words() != tt.trend || v.said() != tt.said || v.Retry != tt.retry || v.State != tt.standing {
			t.Errorf("%s: code %q, trend %q, said %q, retry %q, state %s", tt.name, v.Code, v.Trend.words(), v.said(), v.Retry, v.State)
		}
		if (v.MutedUntil != nil) != strings.HasPrefix(tt.name, "muted") {
			t.Errorf("%s: muted until %v", tt.name, v.MutedUntil)
		}
	}
}

func TestViewGroup_ShowsNoSecretOfATarget(t *testing.T) {
	t.Parallel()
	v := viewGroup(&chatops.Cause{Target: "https://hooks.slack.com/services/T0/B0/secret-canary"}, chatops.StandingOpen)
	if strings.Contains(v.Target+v.Integration, "canary") || v.Target != "https://hooks.slack.com/…" {
		t.Errorf("target %q of %q", v.Target, v.Integration)
	}
}
