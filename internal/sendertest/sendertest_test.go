package sendertest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/smtp"
	"strings"
	"syscall"
	"testing"
	"time"
)

func post(t *testing.T, url, body string) (status int, header http.Header, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "key")
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode, res.Header, nil
}

func TestHTTP_ChangesItsBehaviourWhileItRuns(t *testing.T) {
	t.Parallel()
	slack := StartSlack(t, "")
	send := func() (int, http.Header, error) { return post(t, slack.URL(), `{"text":"hello"}`) }

	if status, _, err := send(); status != 200 || err != nil {
		t.Fatalf("at first: %d %v", status, err)
	}
	slack.Set(RateLimited("7"))
	if status, header, err := send(); status != 429 || header.Get("Retry-After") != "7" || err != nil {
		t.Fatalf("rate limited: %d %v %v", status, header, err)
	}
	slack.Set(Drop())
	if _, _, err := send(); err == nil {
		t.Fatal("a dropped request was answered")
	}
	slack.Script(Status(500, "rollup_error"))
	slack.Set(OK())
	slack.Script(Status(500, "rollup_error"))
	if status, _, _ := send(); status != 500 {
		t.Fatalf("scripted: %d", status)
	}
	if status, _, _ := send(); status != 200 {
		t.Fatalf("after the script: %d", status)
	}
	if got := len(slack.Texts()); got != 5 {
		t.Fatalf("%d messages recorded, want 5", got)
	}
}

func TestHTTP_StopsAndRestartsOnTheSameAddress(t *testing.T) {
	t.Parallel()
	slack := StartSlack(t, "")
	url := slack.URL()
	slack.Stop()
	slack.Stop()
	if _, _, err := post(t, url, "{}"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("stopped: %v, want connection refused", err)
	}
	slack.Start()
	if status, _, err := post(t, url, "{}"); status != 200 || err != nil {
		t.Fatalf("restarted: %d %v", status, err)
	}
	if slack.URL() != url {
		t.Fatal("the address changed")
	}
}

func TestHTTP_StopFreesAHangingRequest(t *testing.T) {
	t.Parallel()
	slack := StartSlack(t, "")
	slack.Set(Hang())
	done := make(chan error, 1)
	go func() {
		_, _, err := post(t, slack.URL(), "{}")
		done <- err
	}()
	if got := slack.Wait(t.Context(), 1); len(got) != 1 {
		t.Fatalf("%d requests", len(got))
	}
	slack.Stop()
	if err := <-done; err == nil {
		t.Fatal("a hanging request was answered")
	}
}

func TestMonday_FindsByColumnAndByName(t *testing.T) {
	t.Parallel()
	monday := StartMonday(t, "")
	monday.Set(WorkThenDrop())
	create := `{"query":"mutation{create_item}","variables":{"board":"7","name":"Jan","values":"{\"ext\":\"lead:1\"}"}}`
	if _, _, err := post(t, monday.URL(), create); err == nil {
		t.Fatal("the reply was not dropped")
	}
	items := monday.Items()
	if len(items) != 1 || items[0].Name != "Jan" || items[0].Columns["ext"] != "lead:1" {
		t.Fatalf("items %+v", items)
	}
	for column, value := range map[string]string{"ext": "lead:1", "name": "Jan"} {
		query := fmt.Sprintf(`{"query":"{items_page_by_column_values}","variables":{"board":"7","column":%q,"value":%q}}`, column, value)
		reply := monday.work(Request{Header: http.Header{"Authorization": {"key"}}, Body: []byte(query)})
		if !strings.Contains(reply, `"1000"`) {
			t.Errorf("search by %s: %s", column, reply)
		}
	}
	if monday.Searches() != 2 {
		t.Errorf("%d searches, want 2", monday.Searches())
	}
}

func TestSMTP_TakesAMailFromAnotherClient(t *testing.T) {
	t.Parallel()
	for _, options := range []SMTPOptions{
		{},
		{Username: "u", Password: "p", StartTLS: true},
	} {
		server := StartSMTP(t, options)
		client, err := smtp.Dial(server.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if options.StartTLS {
			if err := client.StartTLS(&tls.Config{RootCAs: server.Roots(), ServerName: "127.0.0.1"}); err != nil {
				t.Fatal(err)
			}
			if err := client.Auth(smtp.PlainAuth("", "u", "p", "127.0.0.1")); err != nil {
				t.Fatal(err)
			}
		}
		sendMail(t, client)
		mails := server.Wait(t.Context(), 1)
		if mails[0].From != "a@x.example" || mails[0].To[0] != "b@x.example" ||
			mails[0].Header("Subject") != "Zażółć" || mails[0].Text() != ".dot\n" || mails[0].MessageID() != "1@x" {
			t.Errorf("mail %+v", mails[0])
		}
	}
}

func sendMail(t *testing.T, client *smtp.Client) {
	t.Helper()
	text := "Message-ID: <1@x>\r\nSubject: =?utf-8?q?Za=C5=BC=C3=B3=C5=82=C4=87?=\r\nContent-Type: text/plain\r\n\r\n.dot\r\n"
	err := client.Mail("a@x.example")
	if err == nil {
		err = client.Rcpt("b@x.example")
	}
	if err != nil {
		t.Fatal(err)
	}
	w, err := client.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), client.Quit()); err != nil {
		t.Fatal(err)
	}
}

func TestSMTP_RefusesAWrongPassword(t *testing.T) {
	t.Parallel()
	server := StartSMTP(t, SMTPOptions{Username: "u", Password: "p"})
	client, err := smtp.Dial(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Auth(smtp.PlainAuth("", "u", "wrong", "127.0.0.1")); err == nil || !strings.HasPrefix(err.Error(), "535") {
		t.Fatalf("got %v, want 535", err)
	}
	for _, line := range server.Commands() {
		if strings.HasPrefix(line, "AUTH ") {
			t.Errorf("the log-in was recorded: %q", line)
		}
	}
}

func TestSMTP_KeepsTheMailWhoseReplyItDrops(t *testing.T) {
	t.Parallel()
	server := StartSMTP(t, SMTPOptions{})
	server.Set(Fault{Stage: StageDot, Drop: true, Keep: true})
	client, err := smtp.Dial(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(client.Mail("a@x.example"), client.Rcpt("b@x.example")); err != nil {
		t.Fatal(err)
	}
	w, err := client.Data()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte("Subject: x\r\n\r\ny\r\n"))
	if w.Close() == nil {
		t.Fatal("the reply arrived")
	}
	if got := len(server.Wait(t.Context(), 1)); got != 1 {
		t.Fatalf("%d mails, want 1", got)
	}
	server.Stop()
	if _, err := net.Dial("tcp", server.Addr()); err == nil {
		t.Fatal("stopped, and still listening")
	}
	server.Start()
	if _, err := smtp.Dial(server.Addr()); err != nil {
		t.Fatalf("restarted: %v", err)
	}
}
