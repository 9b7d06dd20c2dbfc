package sender

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
	"chatops/internal/sendertest"
)

func mailAlert(t *testing.T, p chatops.EmailPayload) *chatops.Alert {
	t.Helper()
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return &chatops.Alert{
		ID: 3, EventType: chatops.EventEmailAlert, Target: "mailto:sales@firma.example",
		IdempotencyKey: "lead:s-1:email", Payload: raw,
	}
}

var letter = chatops.EmailPayload{Subject: "Nowy kontakt: Żaneta", Text: "Zażółć gęślą jaźń.\n.\nkropka"}

func TestEmail_SendsTextAndHTMLInUTF8(t *testing.T) {
	t.Parallel()
	server := sendertest.StartSMTP(t, sendertest.SMTPOptions{})
	s := only(t, Options{Email: EmailOptions{URL: server.URL(), From: "Wykończenia <bot@firma.example>"}})
	both := letter
	both.HTML = "<p>Zażółć</p>"
	for _, p := range []chatops.EmailPayload{letter, both, {Subject: "s", HTML: "<p>Zażółć</p>"}} {
		if err := s.Send(t.Context(), mailAlert(t, p)); err != nil {
			t.Fatal(err)
		}
		mails := server.Mails()
		m := mails[len(mails)-1]
		if m.From != "bot@firma.example" || len(m.To) != 1 || m.To[0] != "sales@firma.example" {
			t.Errorf("envelope %q %q", m.From, m.To)
		}
		for name, want := range map[string]string{
			"From": "Wykończenia <bot@firma.example>", "To": "<sales@firma.example>", "Subject": p.Subject,
			"Auto-Submitted": "auto-generated", "Mime-Version": "1.0", "Date": "Mon, 02 Mar 2026 12:00:00 +0000",
		} {
			if got := m.Header(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if got := strings.ReplaceAll(m.Text(), "\r\n", "\n"); strings.TrimRight(got, "\n") != p.Text {
			t.Errorf("text %q, want %q", got, p.Text)
		}
		if got := strings.TrimSpace(m.HTML()); got != p.HTML {
			t.Errorf("html %q, want %q", got, p.HTML)
		}
	}
}

func TestEmail_MessageIDIsStableAndUnique(t *testing.T) {
	t.Parallel()
	server := sendertest.StartSMTP(t, sendertest.SMTPOptions{})
	s := only(t, Options{Email: EmailOptions{URL: server.URL(), From: "bot@firma.example"}})
	first, other := mailAlert(t, letter), mailAlert(t, letter)
	other.IdempotencyKey = "lead:s-2:email"
	for _, a := range []*chatops.Alert{first, first, other} {
		if err := s.Send(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	m := server.Mails()
	if m[0].MessageID() != m[1].MessageID() || m[0].MessageID() == m[2].MessageID() || !strings.HasSuffix(m[0].MessageID(), "@firma.example") {
		t.Errorf("ids %q %q %q", m[0].MessageID(), m[1].MessageID(), m[2].MessageID())
	}
}

func TestEmail_ASubjectInjectsNoHeader(t *testing.T) {
	t.Parallel()
	e := only(t, Options{Email: EmailOptions{URL: "smtp://127.0.0.1", From: "bot@firma.example"}}).(*email)
	rapid.Check(t, func(t *rapid.T) {
		subject := rapid.OneOf(
			rapid.StringOf(rapid.RuneFrom([]rune("ab\r\n\t :Bcc=?\u2028\x00ż"))), rapid.String(),
			rapid.Just("x\r\nBcc: evil@x.example\r\n\r\nbody"),
		).Draw(t, "subject")
		raw, err := e.message("sales@firma.example", &chatops.EmailPayload{Subject: subject, Text: "t"}, "key")
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(string(raw), "\r\n\r\n")
		for line := range strings.SplitSeq(head, "\r\n") {
			name, _, _ := strings.Cut(line, ":")
			if strings.EqualFold(name, "bcc") || strings.ContainsAny(line, "\r\n\x00") {
				t.Fatalf("subject %q gives the header\n%s", subject, head)
			}
		}
		got := sendertest.Mail{Data: raw}.Header("Subject")
		if strings.ContainsFunc(got, unicode.IsControl) || got != oneLine(subject, maxSubject) {
			t.Fatalf("subject %q arrives as %q", subject, got)
		}
	})
}

func TestEmail_SendsToExactlyOneValidAddress(t *testing.T) {
	t.Parallel()
	server := sendertest.StartSMTP(t, sendertest.SMTPOptions{})
	s := only(t, Options{Email: EmailOptions{URL: server.URL(), From: "bot@firma.example"}})
	for _, target := range []string{
		"mailto:", "mailto:jan", "mailto:@x.example", "mailto:jan@", "mailto:a@x.example,b@x.example", "mailto:a@x.example b@x.example",
		"mailto:Jan <jan@x.example>", "mailto:<jan@x.example>", "mailto:jan@x.example?cc=b@x.example", "mailto:jan@x.example\r\nRCPT TO:<b@x.example>",
		"mailto:jan@x.example ", "mailto:żaneta@x.example", "mailto:jan＠x.example", "mailto:jan@x..example", "mailto:jan@[127.0.0.1]",
		"mailto:" + strings.Repeat("a", 250) + "@x.example", "slack:alerts",
	} {
		alert := mailAlert(t, letter)
		alert.Target = target
		f := failed(t, s.Send(t.Context(), alert), chatops.FailPermanent)
		if strings.Contains(f.Error(), "jan") || strings.Contains(f.Error(), "example") {
			t.Errorf("%q shows the address", f)
		}
	}
	for target, want := range map[string]string{
		"mailto:Jan.Nowak+lead@X.example": "Jan.Nowak+lead@x.example",
		"mailto:jan@żółć.example":         "jan@xn--kda4b0koi.example",
	} {
		alert := mailAlert(t, letter)
		alert.Target = target
		if err := s.Send(t.Context(), alert); err != nil {
			t.Fatal(err)
		}
		mails := server.Mails()
		if got := mails[len(mails)-1].To[0]; got != want {
			t.Errorf("%s went to %q, want %q", target, got, want)
		}
	}
}

func TestEmail_ATargetThatNamesNobodyLeavesItToThePayload(t *testing.T) {
	t.Parallel()
	server := sendertest.StartSMTP(t, sendertest.SMTPOptions{})
	s := only(t, Options{Email: EmailOptions{URL: server.URL(), From: "bot@firma.example"}})
	to := func(target, recipient string) *chatops.Alert {
		p := letter
		p.To = recipient
		alert := mailAlert(t, p)
		alert.Target = target
		return alert
	}
	for _, alert := range []*chatops.Alert{
		to(chatops.TargetConsentMail, "jan@x.example"), to("mailto:jan@x.example", "ewa@x.example"),
	} {
		if err := s.Send(t.Context(), alert); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range server.Mails() {
		if len(m.To) != 1 || m.To[0] != "jan@x.example" {
			t.Errorf("sent to %q", m.To)
		}
	}
	for _, recipient := range []string{"", "jan", "jan@x.example,ewa@x.example", "jan@x.example\r\nBcc: ewa@x.example"} {
		f := failed(t, s.Send(t.Context(), to(chatops.TargetConsentMail, recipient)), chatops.FailPermanent)
		if strings.Contains(f.Error(), "example") {
			t.Errorf("%q shows the address", f)
		}
	}
}

func TestEmailURL_ReadsTheModes(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]email{
		"smtp://mail.example":                            {host: "mail.example", port: "587", mode: tlsStart},
		"smtp://mail.example:25":                         {host: "mail.example", port: "25", mode: tlsStart},
		"smtp://mail.example:465":                        {host: "mail.example", port: "465", mode: tlsImplicit},
		"smtps://mail.example":                           {host: "mail.example", port: "465", mode: tlsImplicit},
		"smtp://mail.example?tls=implicit":               {host: "mail.example", port: "465", mode: tlsImplicit},
		"smtp://mail.example?tls=none":                   {host: "mail.example", port: "25", mode: tlsNone},
		"smtp://127.0.0.1:1025":                          {host: "127.0.0.1", port: "1025", mode: tlsNone},
		"smtp://localhost:1025?tls=starttls":             {host: "localhost", port: "1025", mode: tlsStart},
		"smtp://[::1]:1025":                              {host: "::1", port: "1025", mode: tlsNone},
		"smtp://bot%40firma.example:p%40ss@mail.example": {host: "mail.example", port: "587", mode: tlsStart, username: "bot@firma.example", password: "p@ss"},
		"smtp://u:p@127.0.0.1:1025?tls=none":             {host: "127.0.0.1", port: "1025", mode: tlsNone, username: "u", password: "p"},
	} {
		var got email
		if err := got.useURL(url); err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if got.host != want.host || got.port != want.port || got.mode != want.mode || got.username != want.username || got.password != want.password {
			t.Errorf("%s: %+v", url, got)
		}
	}
	for _, url := range []string{
		"mail.example:587", "http://mail.example", "smtp://", "smtp://:587", "smtp://u:hunter2@mail.example?tls=none",
		"smtp://u:hunter2@mail.example?tls=maybe", "smtp://u:hunter2@mail.example:port",
	} {
		err := new(email).useURL(url)
		if chatops.ErrorCode(err) != chatops.CodeInvalid || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestEmailFrom_HasADefault(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ from, username, want string }{
		{"a@x.example", "b@x.example", "a@x.example"},
		{"", "b@x.example", "b@x.example"},
		{"", "user", "chatops@host1"},
		{"", "", "chatops@host1"},
		{"Żaneta <a@x.example>", "", "a@x.example"},
	} {
		e := &email{username: tt.username, helo: "host1"}
		if err := e.useFrom(tt.from); err != nil || e.from.Address != tt.want {
			t.Errorf("from %q, user %q: %v, %v", tt.from, tt.username, e.from, err)
		}
	}
}

func FuzzPlainAddress(f *testing.F) {
	for _, seed := range []string{"jan@x.example", "a@b,c@d", "<a@b>", "\"a b\"@x.example", "jan@żółć.example", "a@b\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := plainAddress(text)
		if !ok {
			return
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' }) || len(got) > 254 {
			t.Fatalf("%q gives %q", text, got)
		}
		if again, ok := plainAddress(got); !ok || again != got {
			t.Fatalf("%q gives %q, which gives %q", text, got, again)
		}
	})
}
