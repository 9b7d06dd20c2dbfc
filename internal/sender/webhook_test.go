package sender

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/sendertest"
)

const event = `{"type":"lead.created","timestamp":"2026-03-02T12:00:00Z","data":{"name":"Żaneta"}}`

func hookAlert() *chatops.Alert {
	return &chatops.Alert{ID: 8, Target: "webhook:crm", IdempotencyKey: "lead:s-1:webhook:crm", Payload: []byte(event)}
}

func startHook(t *testing.T, secret string, now func() time.Time) (chatops.AlertSender, *sendertest.HTTP) {
	t.Helper()
	fake := sendertest.StartHTTP(t, "")
	return only(t, Options{NowFunc: now, Webhooks: map[string]WebhookOptions{
		"crm": {URL: fake.URL() + "hook?a=b", Secret: secret, AllowPrivate: true},
	}}), fake
}

// verify checks a signature the way a receiver does.
func verify(key []byte, r sendertest.Request, signature string) bool {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(r.Header.Get("Webhook-Id") + "." + r.Header.Get("Webhook-Timestamp") + "."))
	mac.Write(r.Body)
	return signature == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// The example of the Standard Webhooks specification's libraries.
func TestWebhook_SignsAsTheSpecificationSays(t *testing.T) {
	t.Parallel()
	keys, err := signingKeys("crm", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	w := &webhook{keys: keys}
	got := w.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWebhook_EveryAttemptHasTheSameIDAndItsOwnTimestamp(t *testing.T) {
	t.Parallel()
	now := noon
	s, fake := startHook(t, "whsec_c2VjcmV0IGtleQ==", func() time.Time { return now })
	for range 2 {
		if err := s.Send(t.Context(), hookAlert()); err != nil {
			t.Fatal(err)
		}
		now = now.Add(5 * time.Minute)
	}
	for i, r := range fake.Requests() {
		h := r.Header
		if h.Get("Idempotency-Key") != "lead:s-1:webhook:crm" || h.Get("Webhook-Id") != h.Get("Idempotency-Key") {
			t.Errorf("attempt %d: %v", i, h)
		}
		if want := []string{"1772452800", "1772453100"}[i]; h.Get("Webhook-Timestamp") != want {
			t.Errorf("attempt %d: timestamp %s, want %s", i, h.Get("Webhook-Timestamp"), want)
		}
		if string(r.Body) != event || !verify([]byte("secret key"), r, h.Get("Webhook-Signature")) {
			t.Errorf("attempt %d: body %s, signature %s", i, r.Body, h.Get("Webhook-Signature"))
		}
	}
}

func TestWebhook_SignsWithEverySecretAndWithNone(t *testing.T) {
	t.Parallel()
	s, fake := startHook(t, "whsec_bmV3 b2xk", atNoon)
	if err := s.Send(t.Context(), hookAlert()); err != nil {
		t.Fatal(err)
	}
	r := fake.Requests()[0]
	signatures := strings.Fields(r.Header.Get("Webhook-Signature"))
	if len(signatures) != 2 || !verify([]byte("new"), r, signatures[0]) || !verify([]byte("old"), r, signatures[1]) {
		t.Errorf("signatures %q", signatures)
	}
	s, fake = startHook(t, "", atNoon)
	if err := s.Send(t.Context(), hookAlert()); err != nil {
		t.Fatal(err)
	}
	if got := fake.Requests()[0].Header.Values("Webhook-Signature"); len(got) != 0 {
		t.Errorf("signed without a secret: %q", got)
	}
}

func TestWebhook_ClassifiesItsAnswers(t *testing.T) {
	t.Parallel()
	s, fake := startHook(t, "", atNoon)
	date := noon.Add(2 * time.Minute).Format(http.TimeFormat)
	for _, tt := range []struct {
		status int
		after  string
		kind   chatops.FailureKind
		wait   time.Duration
	}{
		{408, "", chatops.FailTransient, 0}, {425, "", chatops.FailTransient, 0},
		{401, "", chatops.FailMisconfigured, 0}, {403, "", chatops.FailMisconfigured, 0}, {404, "", chatops.FailMisconfigured, 0},
		{400, "", chatops.FailPermanent, 0}, {410, "", chatops.FailPermanent, 0}, {422, "", chatops.FailPermanent, 0},
		{429, "30", chatops.FailRateLimited, 30 * time.Second}, {429, date, chatops.FailRateLimited, 2 * time.Minute},
		{429, "-5", chatops.FailRateLimited, 0}, {429, "99999999999", chatops.FailRateLimited, 24 * time.Hour},
		{503, "45", chatops.FailTransient, 45 * time.Second}, {503, "", chatops.FailTransient, 0},
		{301, "", chatops.FailMisconfigured, 0},
	} {
		b := sendertest.Status(tt.status, "Żaneta")
		if tt.after != "" {
			b.Header = map[string]string{"Retry-After": tt.after}
		}
		fake.Set(b)
		f := failed(t, s.Send(t.Context(), hookAlert()), tt.kind)
		if f.RetryAfter != tt.wait || f.HTTPStatus != tt.status {
			t.Errorf("%d %q: %+v", tt.status, tt.after, f)
		}
	}
}

func TestWebhook_ReachesAPrivateAddressOnlyWhereAllowed(t *testing.T) {
	t.Parallel()
	fake := sendertest.StartHTTP(t, "")
	_, port, _ := strings.Cut(fake.Addr(), ":")
	for url, allowed := range map[string]bool{
		fake.URL():                            false,
		"http://localhost:" + port + "/":      false, // blocked after resolution
		"http://[::ffff:127.0.0.1]:" + port:   false,
		"http://0.0.0.0:" + port + "/":        false,
		fake.URL() + "#allow_private":         true,
		fake.URL() + "path?a=b#allow_private": true,
	} {
		s := only(t, Options{Webhooks: map[string]WebhookOptions{"crm": {URL: url}}})
		before := len(fake.Requests())
		err := s.Send(t.Context(), hookAlert())
		if allowed {
			if err != nil || len(fake.Requests()) != before+1 {
				t.Errorf("%s: %v", url, err)
			}
			continue
		}
		f := failed(t, err, chatops.FailMisconfigured)
		if f.Error() != "webhook:crm: connect: private address is not allowed" || f.TripsBreaker() || len(fake.Requests()) != before {
			t.Errorf("%s: %q, %d requests", url, f, len(fake.Requests())-before)
		}
	}
}

func TestWebhook_ARedirectLeadsNowhere(t *testing.T) {
	t.Parallel()
	s, fake := startHook(t, "", atNoon)
	inside := sendertest.StartHTTP(t, "")
	for _, status := range []int{301, 302, 303, 307, 308} {
		fake.Set(sendertest.Behaviour{Status: status, Header: map[string]string{"Location": inside.URL()}})
		fails(t, s.Send(t.Context(), hookAlert()), chatops.FailMisconfigured)
	}
	if n := len(inside.Requests()); n != 0 {
		t.Errorf("%d requests were redirected", n)
	}
}
