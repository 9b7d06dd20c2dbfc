package drill

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// reminded gives the mail server a mail for somebody, and reports whether it
// answers.
func reminded(t *testing.T, r *Range, to, id string) bool {
	t.Helper()
	conn, _ := dialogue(t, r.mail, "EHLO x", "MAIL FROM:<bot@firma.example>", "RCPT TO:<"+to+"> NOTIFY=NEVER", "DATA")
	_, _ = fmt.Fprintf(conn, "To: <%s>\r\nMessage-ID: <%s>\r\n\r\ntext\r\n.\r\n", to, id)
	return answers(t, conn)
}

func answers(t *testing.T, conn net.Conn) bool {
	t.Helper()
	_, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil
}

func TestMail_ThatCrashesAnswersNobodyAndKeepsWhatItKeeps(t *testing.T) {
	t.Parallel()
	r := open(t, "uncertain-followup")
	r.mail.crash(person)
	if reminded(t, r, person, "a@x") || reminded(t, r, other, "b@x") {
		t.Error("it answers although it crashes")
	}
	r.mail.recover()
	if !reminded(t, r, other, "c@x") {
		t.Error("it does not answer any more")
	}
	if kept, later := r.mail.to(person), r.mail.to(other); len(kept) != 1 || len(later) != 1 || field(later[0], "Message-ID") != "<c@x>" {
		t.Errorf("it has %q and %q", kept, later)
	}
}

func TestUncertainFollowup_ShowsTheLogOfTheMailServer(t *testing.T) {
	t.Parallel()
	r, i := running(t, "uncertain-followup")
	i.jobs = []chatops.JobState{{Name: "followups"}}
	var silent []string
	r.SQLFunc = func(_ context.Context, list ...string) error {
		if silent = append(silent, list...); len(silent) < 2 {
			return nil
		}
		if reminded(t, r, person, "kept@firma.example") || reminded(t, r, other, "lost@firma.example") {
			t.Error("the mail server answers")
		}
		i.followups = []chatops.Followup{{Status: chatops.FollowupUncertain}, {Status: chatops.FollowupUncertain}}
		return nil
	}
	evidence := mustBreak(t, r)
	if !strings.Contains(evidence, "message-id=<kept@firma.example>\n") || strings.Contains(evidence, "lost@firma.example") {
		t.Errorf("it shows %s", evidence)
	}
	if len(silent) != 2 || !strings.Contains(silent[0], person) || !strings.Contains(silent[1], other) || len(i.requested) != 1 {
		t.Errorf("the database is told %q, requested are %q", silent, i.requested)
	}
	if !reminded(t, r, other, "again@firma.example") {
		t.Error("afterwards the mail server does not answer")
	}
}

func TestUncertainFollowup_IsRepairedByTheMailThatWasLost(t *testing.T) {
	t.Parallel()
	r, i := running(t, "uncertain-followup")
	i.followups = []chatops.Followup{{Status: chatops.FollowupUncertain}}
	reminded(t, r, person, "kept@firma.example")
	wantLeft(t, r, "a visitor has not got the reminder")
	i.followups[0].Status = chatops.FollowupSent // by hand: nothing was sent
	wantLeft(t, r, "a visitor has not got the reminder")
	reminded(t, r, other, "lost@firma.example")
	wantLeft(t, r, "")
	i.followups[0].Status = chatops.FollowupSending // its end is not on record yet
	wantLeft(t, r, "a visitor has not got the reminder")
	i.followups[0].Status = chatops.FollowupSent
	reminded(t, r, other, "lost@firma.example")
	wantSpoilt(t, r, "a visitor was sent the reminder twice")
}

func TestUncertainFollowup_IsSpoiltByTheMailThatWasThere(t *testing.T) {
	t.Parallel()
	r, i := running(t, "uncertain-followup")
	i.followups = []chatops.Followup{{Status: chatops.FollowupCancelled}}
	wantSpoilt(t, r, "a visitor will never get the reminder")
	i.followups[0].Status = chatops.FollowupUncertain
	reminded(t, r, person, "kept@firma.example")
	reminded(t, r, person, "kept@firma.example")
	wantSpoilt(t, r, "a visitor has the reminder twice: the mail server had it")
}

func TestMailLog_NamesEachMailThatIsThere(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 10, 2, 8, 9, 0, time.UTC)
	got := mailLog([]string{"Message-ID: <a@x>\n\ntext\n", "To: <b@x>\nMessage-ID: <b@x>\n\nMessage-ID: <c@x>\n"}, at)
	want := "02:08:09 mx cleanup: message-id=<a@x>\n02:08:09 mx cleanup: message-id=<b@x>\n02:08:09 mx master: killed by signal 9, 2 clients lost\n"
	if got != want {
		t.Errorf("it is %q, want %q", got, want)
	}
}
