package sender

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/sendertest"
)

// onceFake guards follow-ups of one alert as a store does, and remembers.
type onceFake struct {
	mu        sync.Mutex
	status    chatops.FollowupStatus
	fence     int64
	withdrawn bool
	beginErr  error
	sendErr   error
	endErr    error
	calls     []string
}

func (f *onceFake) notef(format string, args ...any) {
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
}

func (f *onceFake) BeginFollowup(_ context.Context, alertID int64) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notef("begin")
	if f.beginErr != nil {
		return 0, f.beginErr
	}
	switch f.status {
	case chatops.FollowupQueued, chatops.FollowupFailed:
		f.fence++
		f.status = chatops.FollowupSending
	case chatops.FollowupSending:
		f.status = chatops.FollowupUncertain
	case chatops.FollowupSent, chatops.FollowupUncertain, chatops.FollowupCancelled:
	}
	return chatops.FollowupBegun(alertID, f.status, f.fence)
}

func (f *onceFake) SendFollowup(_ context.Context, alertID, fence int64, data func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notef("send")
	switch {
	case f.sendErr != nil:
		return f.sendErr
	case f.status != chatops.FollowupSending || fence != f.fence:
		return chatops.FollowupLost(alertID)
	case f.withdrawn:
		f.status = chatops.FollowupCancelled
		return chatops.FollowupRefused(alertID)
	}
	return data()
}

func (f *onceFake) EndFollowup(_ context.Context, _, fence int64, status chatops.FollowupStatus) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notef("end %s", status)
	if f.endErr == nil && fence == f.fence {
		f.status = status
	}
	return f.endErr
}

func (f *onceFake) seen() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.calls, ", ")
}

var followupLetter = chatops.EmailPayload{
	To: "Jan@x.example", Subject: "Wracamy do rozmowy", Text: "Dzień dobry", HTML: "<p>Dzień dobry</p>",
	Unsubscribe: "https://bot.example/unsubscribe?token=" + strings.Repeat("aA0_-", 80),
}

func followupAlert(t *testing.T, p chatops.EmailPayload) *chatops.Alert {
	t.Helper()
	a := mailAlert(t, p)
	a.EventType, a.Target, a.IdempotencyKey = chatops.EventFollowup, chatops.TargetFollowups, "followup:7:1"
	return a
}

// onceMailer is a mailer of follow-ups that a fake guards.
func onceMailer(t *testing.T, server *sendertest.SMTP) (*email, *onceFake) {
	t.Helper()
	guard := &onceFake{status: chatops.FollowupQueued}
	e := mailer(t, server)
	e.followups = guard
	return e, guard
}

func TestFollowup_HasBothPartsAndTheHeadersToEndIt(t *testing.T) {
	t.Parallel()
	server := sendertest.StartSMTP(t, sendertest.SMTPOptions{})
	e, guard := onceMailer(t, server)
	for range 2 {
		if err := e.Send(t.Context(), followupAlert(t, followupLetter)); err != nil {
			t.Fatal(err)
		}
	}
	mails := server.Mails()
	if len(mails) != 1 || guard.seen() != "begin, send, end sent, begin" {
		t.Fatalf("%d mails; %s", len(mails), guard.seen())
	}
	m := mails[0]
	if len(m.To) != 1 || m.To[0] != "Jan@x.example" || m.Text() != "Dzień dobry\n" && m.Text() != "Dzień dobry" || !strings.Contains(m.HTML(), "<p>Dzień dobry</p>") {
		t.Errorf("to %q: %q, %q", m.To, m.Text(), m.HTML())
	}
	for name, want := range map[string]string{
		"List-Unsubscribe":      "<" + followupLetter.Unsubscribe + ">",
		"List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
		"Subject":               followupLetter.Subject,
	} {
		if got := m.Header(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(string(m.Data), "List-Unsubscribe: <"+followupLetter.Unsubscribe+">\n") || !strings.Contains(m.Header("Content-Type"), "multipart/alternative") {
		t.Errorf("mail\n%s", m.Data)
	}
	if id := m.MessageID(); !strings.HasSuffix(id, "@firma.example") || strings.Contains(string(m.Data), "followup:7") {
		t.Errorf("Message-ID %q", id)
	}
}

func TestFollowup_InjectsNoHeader(t *testing.T) {
	t.Parallel()
	server := sendertest.StartSMTP(t, sendertest.SMTPOptions{})
	e, guard := onceMailer(t, server)
	for _, link := range []string{
		"https://x.example/\r\nBcc: evil@x.example", "https://x.example/>, <mailto:a@b", "javascript:alert(1)", "https:///x", "x",
		"https://x.example/ż", "https://x.example/" + strings.Repeat("a", 1000),
	} {
		p := followupLetter
		p.Unsubscribe = link
		f := failed(t, e.Send(t.Context(), followupAlert(t, p)), chatops.FailPermanent)
		if strings.Contains(f.Error(), "x.example") {
			t.Errorf("%q shows the link", f)
		}
	}
	p := followupLetter
	p.Subject = "a\r\nBcc: evil@x.example"
	if err := e.Send(t.Context(), followupAlert(t, p)); err != nil {
		t.Fatal(err)
	}
	if m := server.Mails()[0]; m.Header("Bcc") != "" || len(server.Mails()) != 1 || guard.seen() != "begin, send, end sent" {
		t.Errorf("%s\n%s", guard.seen(), m.Data)
	}
}

// F2, F3 and F4 of one attempt: what is recorded, and whether the engine may
// repeat it.
func TestFollowup_EveryFaultHasItsMeaning(t *testing.T) {
	t.Parallel()
	lost := sendertest.Fault{Stage: sendertest.StageDot, Drop: true, Keep: true}
	for _, tt := range []struct {
		name  string
		fault *sendertest.Fault
		guard func(g *onceFake)
		kind  chatops.FailureKind
		once  bool
		calls string
		data  int // DATA commands
	}{
		{"450 at RCPT", &sendertest.Fault{Stage: sendertest.StageRcpt, Reply: "450 4.2.1 busy"}, nil, chatops.FailTransient, false, "", 0},
		{"550 at RCPT", &sendertest.Fault{Stage: sendertest.StageRcpt, Reply: "550 5.1.1 no"}, nil, chatops.FailPermanent, false, "begin, end failed", 0},
		{"451 at DATA", &sendertest.Fault{Stage: sendertest.StageData, Reply: "451 4.3.0 later"}, nil, chatops.FailTransient, false, "begin, send, end queued", 1},
		{"dropped at DATA", &sendertest.Fault{Stage: sendertest.StageData, Drop: true}, nil, chatops.FailTransient, false, "begin, send, end queued", 1},
		{"451 after the dot", &sendertest.Fault{Stage: sendertest.StageDot, Reply: "451 4.3.0 later"}, nil, chatops.FailTransient, false, "begin, send, end queued", 1},
		{"554 after the dot", &sendertest.Fault{Stage: sendertest.StageDot, Reply: "554 5.6.0 spam"}, nil, chatops.FailPermanent, false, "begin, send, end failed", 1},
		{"reply lost", &lost, nil, chatops.FailAmbiguous, true, "begin, send, end uncertain", 1},
		{"reply lost and no database", &lost, func(g *onceFake) { g.endErr = errors.New("gone") }, chatops.FailAmbiguous, true, "begin, send, end uncertain", 1},
		{"begun before", nil, func(g *onceFake) { g.status = chatops.FollowupSending }, chatops.FailPermanent, false, "begin", 0},
		{"uncertain before", nil, func(g *onceFake) { g.status = chatops.FollowupUncertain }, chatops.FailPermanent, false, "begin", 0},
		{"cancelled before", nil, func(g *onceFake) { g.status = chatops.FollowupCancelled }, chatops.FailCancelled, false, "begin", 0},
		{"withdrawn now", nil, func(g *onceFake) { g.withdrawn = true }, chatops.FailCancelled, false, "begin, send", 0},
		{"taken over", nil, func(g *onceFake) { g.sendErr = chatops.FollowupLost(3) }, chatops.FailPermanent, false, "begin, send", 0},
		{"no database to begin", nil, func(g *onceFake) { g.beginErr = chatops.Errorf(chatops.CodeUnavailable, "gone") }, chatops.FailTransient, false, "begin", 0},
		{"no database to ask", nil, func(g *onceFake) { g.sendErr = chatops.Errorf(chatops.CodeUnavailable, "gone") }, chatops.FailTransient, false, "begin, send, end queued", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := sendertest.StartSMTP(t, sendertest.SMTPOptions{})
			if tt.fault != nil {
				server.Set(*tt.fault)
			}
			e, guard := onceMailer(t, server)
			if tt.guard != nil {
				tt.guard(guard)
			}
			f := failed(t, e.Send(t.Context(), followupAlert(t, followupLetter)), tt.kind)
			if f.Once != tt.once || guard.seen() != tt.calls {
				t.Errorf("once %v, %s; want %v, %s", f.Once, guard.seen(), tt.once, tt.calls)
			}
			if tt.fault == nil && f.TripsBreaker() {
				t.Errorf("%q opens the mail server's breaker", f)
			}
			data := strings.Count(strings.Join(server.Commands(), "\n")+"\n", "DATA\n")
			if data != tt.data {
				t.Errorf("%d DATA commands, want %d", data, tt.data)
			}
			if strings.Contains(f.Error(), "example") {
				t.Errorf("%q shows an address", f)
			}
		})
	}
}

func TestFollowup_WithoutAGuard_IsNotSent(t *testing.T) {
	t.Parallel()
	server := sendertest.StartSMTP(t, sendertest.SMTPOptions{})
	for _, change := range []func(a *chatops.Alert){
		func(*chatops.Alert) {}, func(a *chatops.Alert) { a.EventType = chatops.EventEmailAlert },
		func(a *chatops.Alert) { a.Target = "mailto:jan@x.example" },
	} {
		alert := followupAlert(t, followupLetter)
		change(alert)
		_ = failed(t, mailer(t, server).Send(t.Context(), alert), chatops.FailMisconfigured)
	}
	if n := len(server.Commands()); n != 0 {
		t.Errorf("%d commands reached the server", n)
	}
}

// A server that takes its time over DATA keeps withdrawals waiting for a moment
// only.
func TestFollowup_SlowAnswerToDATA_LetsTheLockGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		guard := &onceFake{status: chatops.FollowupQueued}
		once := &onceMail{followups: guard, alert: 3}
		started, answered := time.Now(), make(chan error, 1)
		err := once.pass(t.Context(), func() error {
			go func() {
				<-time.After(8 * time.Second)
				answered <- nil
			}()
			return waitFor(answered, holdFor)
		})
		if held := time.Since(started); err != nil || held != holdFor {
			t.Errorf("%v, the lock was held for %v", err, held)
		}
		if err := <-answered; err != nil || time.Since(started) != 8*time.Second {
			t.Errorf("the answer came after %v: %v", time.Since(started), err)
		}
	})
}

func TestLogSender_CountsAFollowupAsSent(t *testing.T) {
	t.Parallel()
	guard := &onceFake{status: chatops.FollowupQueued}
	var out strings.Builder
	senders, err := New(Options{
		LogMissing: true, Log: slog.New(slog.NewTextHandler(&out, nil)), Email: EmailOptions{Followups: guard},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := senders[2]
	if err := s.Send(t.Context(), followupAlert(t, followupLetter)); err != nil || guard.seen() != "begin, send, end sent" {
		t.Errorf("%v; %s", err, guard.seen())
	}
	if text := out.String(); !strings.Contains(text, "followup_email") || strings.Contains(text, "x.example") {
		t.Errorf("log %s", text)
	}
	guard.status, guard.withdrawn = chatops.FollowupQueued, true
	_ = failed(t, s.Send(t.Context(), followupAlert(t, followupLetter)), chatops.FailCancelled)
}
