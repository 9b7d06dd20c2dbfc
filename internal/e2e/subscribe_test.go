package e2e

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Whoever has unsubscribed comes back by the link of a mail, and only by that.
func TestSubscribe_TheWayBackIsTheLinkOfAMail(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		s, token := w.serveLinked()
		s.oneClick("/unsubscribe?token="+token, false)
		w.await(0, given)
		secret := w.confirmByMail(t, s, token)
		w.await(2, given)
		w.await(0, `select count(*) from suppression`)
		for _, canary := range []string{"kanarek7319", token, secret} {
			if strings.Contains(s.err.String(), canary) {
				t.Errorf("the log holds %q", canary)
			}
		}
	})
}

var mailedLink = regexp.MustCompile(`https://czat\.example(/confirm\?\S+)`)

// confirmByMail asks for consent on the page, and follows the link of the mail.
// It returns the mail's token.
func (w *world) confirmByMail(t *testing.T, s *server, token string) string {
	t.Helper()
	const form = "application/x-www-form-urlencoded"
	if status, page := s.submit("/preferences?token="+token, form, "action=subscribe"); status != http.StatusOK {
		t.Fatalf("subscribe: status %d: %s", status, page)
	}
	w.await(1, `select count(*) from dead_letter_queue where event_type = 'consent_mail' and status = 'delivered'`)
	for _, mail := range w.smtp.Mails() {
		found := mailedLink.FindStringSubmatch(mail.Text())
		if found == nil {
			continue
		}
		if len(mail.To) != 1 || mail.To[0] != linked {
			t.Errorf("the mail went to %q", mail.To)
		}
		if status, page := s.get(found[1]); status != http.StatusOK || !strings.Contains(page, "Potwierdź zgodę") {
			t.Errorf("the mail's link: %d %s", status, page)
		}
		w.await(1, `select count(*) from suppression`) // opened only
		if status, page := s.submit(found[1], form, "action=confirm"); status != http.StatusOK {
			t.Fatalf("confirm: status %d: %s", status, page)
		}
		u, err := url.Parse(found[1])
		if err != nil {
			t.Fatal(err)
		}
		return u.Query().Get("token")
	}
	t.Fatal("no mail with a link")
	return ""
}
