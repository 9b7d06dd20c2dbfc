package drill

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// open starts the receivers of a drill.
func open(t *testing.T, name string) *Range {
	t.Helper()
	d, ok := Find(name)
	if !ok {
		t.Fatalf("there is no drill %s", name)
	}
	r, err := Open(t.Context(), &d, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestSlack_CountsWhatItTookAndWhatCameTwice(t *testing.T) {
	t.Parallel()
	r := open(t, "slack-outage")
	url := r.Settings()["SLACK_WEBHOOK_URL"]
	r.slack.fail(true)
	if status, _ := post(t, url, "a"); status != http.StatusServiceUnavailable {
		t.Errorf("while it is down it answers %d", status)
	}
	r.slack.fail(false)
	for _, body := range []string{"a", "b", "a"} {
		if status, text := post(t, url, body); status != http.StatusOK || text != "ok" {
			t.Errorf("it answers %d %s", status, text)
		}
	}
	if once, twice := r.slack.got(); once != 2 || twice != 1 {
		t.Errorf("it got %d, and %d twice", once, twice)
	}
}

func TestMonday_AnswersErrorsWith200(t *testing.T) {
	t.Parallel()
	r := open(t, "monday-errors")
	url := r.Settings()["MONDAY_API_URL"]
	create := `{"query":"mutation { create_item }","variables":{"name":"Lead 1"}}`
	r.monday.fail(true)
	if status, text := post(t, url, create); status != http.StatusOK || !strings.Contains(text, "InvalidInputException") {
		t.Errorf("while it is broken it answers %d %s", status, text)
	}
	r.monday.fail(false)
	if _, text := post(t, url, create); text != `{"data":{"create_item":{"id":"1000"}}}` {
		t.Errorf("it answers %s", text)
	}
	if _, text := post(t, url, `{"query":"{ items_page_by_column_values }"}`); !strings.Contains(text, `"items":[]`) {
		t.Errorf("it finds %s", text)
	}
	if status, _ := post(t, url, "{"); status != http.StatusBadRequest {
		t.Errorf("to nonsense it answers %d", status)
	}
	if once, twice := r.monday.got(); once != 1 || twice != 0 {
		t.Errorf("it has %d items, and %d twice", once, twice)
	}
}

// dialogue says lines to the mail server and returns the codes of its answers.
func dialogue(t *testing.T, m *mail, lines ...string) (conn net.Conn, codes []string) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", m.address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	in := bufio.NewScanner(conn)
	for _, line := range append([]string{""}, lines...) {
		if line != "" {
			_, _ = fmt.Fprintf(conn, "%s\r\n", line)
		}
		if !in.Scan() {
			t.Fatalf("after %q it says nothing", line)
		}
		codes = append(codes, in.Text()[:3])
	}
	return conn, codes
}

func TestMail_KeepsWhatItIsGiven(t *testing.T) {
	t.Parallel()
	r := open(t, "opt-out-race")
	_, codes := dialogue(t, r.mail, "EHLO x", "MAIL FROM:<a@x.pl>", "RCPT TO:<b@x.pl>", "DATA", "Subject: hi\r\n\r\n..dot\r\n.", "QUIT")
	if got := strings.Join(codes, " "); got != "220 250 250 250 354 250 221" {
		t.Errorf("it answers %s", got)
	}
	if got := r.mail.received(); len(got) != 1 || got[0] != "Subject: hi\n\n.dot\n" {
		t.Errorf("it has %q", got)
	}
}

func TestMail_HoldsARecipientUntilItIsReleased(t *testing.T) {
	t.Parallel()
	r := open(t, "opt-out-race")
	r.mail.hold()
	conn, _ := dialogue(t, r.mail, "EHLO x", "MAIL FROM:<a@x.pl>")
	_, _ = fmt.Fprint(conn, "RCPT TO:<b@x.pl>\r\n")
	if err := await(t.Context(), "a recipient", func() (bool, error) { return r.mail.waiting() == 1, nil }); err != nil {
		t.Fatal(err)
	}
	r.mail.release()
	r.mail.release()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || line != "250 ok\r\n" {
		t.Errorf("it answers %q, %v", line, err)
	}
}

func TestRange_TouchesItsFolderAndLoopbackAlone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"slack-outage", "opt-out-race"} {
		r := open(t, name)
		for key, value := range r.Settings() {
			_, rest, address := strings.Cut(value, "://")
			if address && !strings.HasPrefix(value, "sqlite://"+r.Folder) && !strings.HasPrefix(rest, "127.0.0.1") {
				t.Errorf("%s leads elsewhere: %s", key, value)
			}
		}
		text, err := os.ReadFile(r.AddressFile())
		if err != nil || string(text) != person+"\n" {
			t.Errorf("the address is %q, %v", text, err)
		}
		if r.Uses() != "an embedded database and played receivers" {
			t.Errorf("it uses %s", r.Uses())
		}
	}
}

func TestCommand_IsRedisOrNothing(t *testing.T) {
	t.Parallel()
	r := open(t, "slack-outage")
	for _, words := range [][]string{nil, {"rm", "-rf", "/"}, {"redis-server"}} {
		if err := r.Command(t.Context(), words); chatops.ErrorCode(err) != chatops.CodeInvalid {
			t.Errorf("%q: %v", words, err)
		}
	}
}

func TestAwait_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	err := await(ctx, "the second coming", func() (bool, error) { return false, nil })
	if chatops.ErrorCode(err) != chatops.CodeUnavailable || !strings.Contains(err.Error(), "the second coming") {
		t.Errorf("error %v", err)
	}
	broken := chatops.Errorf(chatops.CodeInternal, "broken")
	if err := await(t.Context(), "x", func() (bool, error) { return false, broken }); err == nil || err.Error() != "broken" {
		t.Errorf("error %v", err)
	}
}

func TestMailText_IsWhatAPersonSees(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"From: a\nSubject: three failed\nTo: b\n\ntext\n\nmore\n": "Subject: three failed\n\ntext\n\nmore",
		"From: a\n\ntext\n": "text",
	} {
		if got := mailText(raw); got != want {
			t.Errorf("%q reads as %q, want %q", raw, got, want)
		}
	}
}

// What is secret is taken out of every message: a secret that is a word of each
// path would make the paths unreadable.
func TestRange_ItsSecretsAreNoWordsOfItsFolder(t *testing.T) {
	t.Parallel()
	s := open(t, "slack-outage").Settings()
	last := s["SLACK_WEBHOOK_URL"][strings.LastIndex(s["SLACK_WEBHOOK_URL"], "/")+1:]
	folder := "chatops-drill-4711/chatbot.db"
	for _, secret := range []string{last, s["MONDAY_API_KEY"]} {
		if secret == "" || strings.Contains(folder, secret) {
			t.Errorf("secret %q stands in the path of the database", secret)
		}
	}
}
