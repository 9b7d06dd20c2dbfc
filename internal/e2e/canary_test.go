package e2e

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chatops/internal/sendertest"
)

// Nothing secret and nothing personal leaves the program by a side door: every
// setting and input holds a unique text, the main flows run and fail, and then
// everything that operators and visitors can see is searched for these texts.
func TestCanary_SecretsAndPersonalDataShowUpNowhere(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		secrets := w.plantSecrets(t)
		s := w.serve()
		bodies := w.runFlows(t, s)
		w.retryWhatFailed(t)
		s.term()
		if code := s.wait(); code != 0 {
			t.Errorf("serve ended with %d", code)
		}

		private := []string{
			"canaryperson", "Kanarkowski", "600700811", "600 700 811", "canarysession", "canarytext", "canarybody",
		}
		seen := map[string]string{"error bodies": bodies}
		for _, p := range w.processes {
			seen["standard error of chatops "+p.name] += p.err.String()
		}
		for _, query := range []string{
			`select coalesce(error_message, '') from dead_letter_queue`,
			`select coalesce(error, '') from delivery_attempt`,
			`select command || ' ' || filter || ' ' || result from operator_action`,
			`select coalesce(idempotency_key, '') from dead_letter_queue where event_type = 'escalation'`,
		} {
			seen[query] = w.column(query)
		}
		if !strings.Contains(seen["standard error of chatops serve"], "delivery: attempts failed") || len(bodies) < 5000 {
			t.Error("the flows left no trace: the search shows nothing")
		}
		for where, text := range seen {
			for _, canary := range append(secrets, private...) {
				if at := strings.Index(text, canary); at >= 0 {
					t.Errorf("%s holds %q: ...%s...", where, canary, text[max(0, at-80):min(len(text), at+80)])
				}
			}
		}
		for _, format := range []string{"table", "json", "yaml", "csv"} {
			r := w.must("config", "view", "--show-origin", "-o", format)
			for _, canary := range secrets {
				if strings.Contains(r.out+r.err, canary) {
					t.Errorf("config view -o %s shows %q", format, canary)
				}
			}
		}
	})
}

// plantSecrets puts a unique text into every setting that holds a secret.
func (w *world) plantSecrets(t *testing.T) []string {
	t.Helper()
	secrets := append(w.canaries(), "adminkey0canary", "c2lnbmluZzBjYW5hcnk", "hooktoken0canary", "redispassword0canary")
	file := filepath.Join(w.dir, "adminkey")
	if err := os.WriteFile(file, []byte("adminkey0canary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hook := sendertest.StartHTTP(t, receiverAddress())
	hook.Set(sendertest.Status(500, "canarybody hooktoken0canary"))
	w.env["ADMIN_API_KEY_FILE"] = file
	w.env["WEBHOOKS"] = "crm=" + hook.URL() + "in/hooktoken0canary?token=hooktoken0canary#allow_private"
	w.env["WEBHOOK_SECRETS"] = "crm=whsec_c2lnbmluZzBjYW5hcnk="
	w.env["REDIS_URL"] = "redis://robot:redispassword0canary@127.0.0.9:1/0"
	w.env["LOG_LEVEL"] = "debug"
	if u, err := url.Parse(w.url); err == nil && w.engine == postgres {
		if password, ok := u.User.Password(); ok {
			secrets = append(secrets, password)
		}
	}
	return secrets
}

// runFlows chats, fails and misbehaves, and returns what error answers, health
// pages and metrics said.
func (w *world) runFlows(t *testing.T, s *server) string {
	t.Helper()
	echo := "canarybody canaryperson@przyklad.pl +48600700811 " + sendertest.SlackSecret
	w.slack.Set(sendertest.Status(500, echo))
	w.monday.Set(sendertest.Status(200, `{"errors":[{"message":"`+echo+` mondaykey0canary","extensions":{"code":"ColumnValueException"}}]}`))
	w.smtp.Set(sendertest.Fault{Stage: sendertest.StageRcpt, Reply: "450 4.2.1 <canaryperson@przyklad.pl> " + echo})
	lines := script("Jan Kanarkowski", "canaryperson@przyklad.pl")
	lines[2] = "Mój e-mail to canaryperson@przyklad.pl, telefon 600 700 811"
	for _, line := range append([]string{"canarytext"}, lines...) {
		s.mustSay("canarysession", line)
	}
	w.await(1, `select count(*) from dead_letter_queue where target = 'monday:leads' and status = 'failed'`)
	w.await(4, `select count(*) from dead_letter_queue where status = 'pending'`)

	var bodies strings.Builder
	for _, body := range []string{
		`{"message":7,"email":"canaryperson@przyklad.pl"}`,
		`{"message":"canarytext","session_id":["canarysession"]}`,
		`{"message":"canarytext","consent":"canaryperson@przyklad.pl"}`,
		`{"message":"canarytext" canaryperson`,
		`{"message":"` + strings.Repeat("canarytext ", 500) + `"}`,
		`canarybody`,
	} {
		bodies.WriteString(s.refused(t, body))
	}
	for _, path := range []string{"/metrics", "/api/health", "/api/health/deep", "/readyz", "/nowhere/canaryperson@przyklad.pl", "/api/chatbot/history/%00canarytext"} {
		_, body := s.get(path)
		bodies.WriteString(strings.ReplaceAll(body, "/nowhere/canaryperson@przyklad.pl", ""))
	}
	return bodies.String()
}

// refused posts a body that the chat API must refuse and returns the answer.
func (s *server) refused(t *testing.T, body string) string {
	t.Helper()
	res, err := s.client.Post(s.base+"/api/chatbot/chat?token=canarytext", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode < http.StatusBadRequest {
		t.Errorf("%.20s... is answered with %d", body, res.StatusCode)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// retryWhatFailed is an operator at work, also with commands that go wrong.
func (w *world) retryWhatFailed(t *testing.T) {
	t.Helper()
	for _, args := range [][]string{
		{"dlq", "retry", "--all", "--yes", "--now", "-v"},
		{"dlq", "stats", "-v"},
		{"dlq", "show", "999999", "-v"},
		{"config", "check", "-v"},
		{"migrate", "status", "-v"},
	} {
		if r := w.run(args...); r.code == 1 || r.code == 2 {
			t.Errorf("chatops %s: exit %d\n%s", strings.Join(args, " "), r.code, r.err)
		}
	}
	w.env["DATABASE_URL"] = strings.Replace(w.url, "127.0.0.1", "127.0.0.9", 1) // nobody is there
	if r := w.run("dlq", "list", "-v", "--timeout", "5s"); w.engine == postgres && r.code != 5 {
		t.Errorf("dlq list without a database: exit %d, want 5", r.code)
	}
	w.env["DATABASE_URL"] = w.url
}

// column joins the values of a query.
func (w *world) column(query string) string {
	w.t.Helper()
	rows, err := w.db.Query(query)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(all, "\n")
}
