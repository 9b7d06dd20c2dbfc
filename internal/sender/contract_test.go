package sender

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/sendertest"
)

// trouble is what a receiver can do to any sender.
type trouble string

const (
	well      trouble = "is well"
	broken    trouble = "answers with a server error"
	limiting  trouble = "asks to wait"
	hanging   trouble = "never answers"
	dropping  trouble = "closes before the reply"
	babbling  trouble = "answers with garbage"
	endless   trouble = "answers without end"
	absent    trouble = "is not there"
	cancelled trouble = "is well, but the attempt is cancelled"
)

// rig is a sender and the receiver it talks to.
type rig struct {
	sender   chatops.AlertSender
	alert    chatops.Alert
	setFunc  func(trouble)
	stopFunc func()
	received func() int
	secrets  []string // never to be shown, besides the address
	// want is the kind of failure for each trouble; "" is success.
	want map[trouble]chatops.FailureKind
	// malformed are payloads of a wrong shape, besides those wrong for all.
	malformed []string
}

const canary = "Canary Kowalski"

// rigs holds one per entry of the list of integrations.
var rigs = map[string]func(*testing.T) *rig{
	"slack": slackRig, "monday": mondayRig, "email": emailRig, "webhook": webhookRig,
}

func httpTroubles(set func(sendertest.Behaviour)) func(trouble) {
	return func(tr trouble) {
		set(map[trouble]sendertest.Behaviour{
			well: sendertest.OK(), broken: sendertest.Status(500, canary), limiting: sendertest.RateLimited("7"),
			hanging: sendertest.Hang(), dropping: sendertest.Drop(), babbling: sendertest.Garbage(), endless: sendertest.Huge(),
		}[tr])
	}
}

func httpWants(garbage chatops.FailureKind) map[trouble]chatops.FailureKind {
	return map[trouble]chatops.FailureKind{
		well: "", broken: chatops.FailTransient, limiting: chatops.FailRateLimited,
		hanging: chatops.FailAmbiguous, dropping: chatops.FailAmbiguous,
		babbling: garbage, endless: garbage, cancelled: chatops.FailTransient,
	}
}

func slackRig(t *testing.T) *rig {
	fake := sendertest.StartSlack(t, "")
	return &rig{
		sender:  only(t, Options{Slack: SlackOptions{WebhookURL: fake.URL()}}),
		alert:   chatops.Alert{ID: 1, Target: "slack:alerts", Payload: payload(t, chatops.SlackPayload{Text: canary})},
		setFunc: httpTroubles(fake.Set), stopFunc: fake.Stop,
		received: func() int { return len(fake.Requests()) },
		secrets:  []string{sendertest.SlackSecret, "services/", fake.Addr()},
		want:     httpWants(""), // a 2xx is success, whatever it says
		// Slack would answer no_text.
		malformed: []string{`{}`, `{"text":""}`, `{"blocks":[]}`, `{"text":null}`},
	}
}

func mondayRig(t *testing.T) *rig {
	fake := sendertest.StartMonday(t, "")
	return &rig{
		sender: only(t, Options{Monday: MondayOptions{APIKey: "mondaykeycanary", BoardID: "77", URL: fake.URL()}}),
		alert: chatops.Alert{ID: 1, Target: "monday:leads", Payload: payload(t, chatops.MondayPayload{
			ItemName: canary, ExternalID: "lead:1:monday", Fields: map[string]string{"email": "canary@x.example"},
		})},
		setFunc: httpTroubles(fake.Set), stopFunc: fake.Stop,
		received:  func() int { return len(fake.Items()) },
		secrets:   []string{"mondaykeycanary", fake.Addr()},
		want:      httpWants(chatops.FailAmbiguous), // the item may exist
		malformed: []string{`{}`, `{"item_name":" "}`, `{"item_name":1}`, `{"item_name":"x","fields":[]}`},
	}
}

func webhookRig(t *testing.T) *rig {
	fake := sendertest.StartHTTP(t, "")
	return &rig{
		sender: only(t, Options{Webhooks: map[string]WebhookOptions{"crm": {
			URL: fake.URL() + "hooksecretcanary", Secret: "whsec_c2VjcmV0LWNhbmFyeQ==", AllowPrivate: true,
		}}}),
		alert: chatops.Alert{ID: 1, Target: "webhook:crm", Payload: payload(t, chatops.WebhookPayload{
			Type: "lead.created", Data: map[string]any{"name": canary},
		})},
		setFunc: httpTroubles(fake.Set), stopFunc: fake.Stop,
		received: func() int { return len(fake.Requests()) },
		secrets:  []string{"hooksecretcanary", "whsec_", "c2VjcmV0", "secret-canary", fake.Addr()},
		want:     httpWants(""),
	}
}

func emailRig(t *testing.T) *rig {
	fake := sendertest.StartSMTP(t, sendertest.SMTPOptions{Username: "usercanary", Password: "passcanary"})
	faults := map[trouble][]sendertest.Fault{
		well:     nil,
		broken:   {{Stage: sendertest.StageRcpt, Reply: "451 4.3.0 " + canary}},
		limiting: {{Stage: sendertest.StageDot, Reply: "421 4.7.0 " + canary}}, // SMTP has no Retry-After
		hanging:  {{Stage: sendertest.StageDot, Hang: true}},
		dropping: {{Stage: sendertest.StageDot, Drop: true}},
		babbling: {{Stage: sendertest.StageBanner, Reply: "\x00<html>" + canary}},
		endless:  {{Stage: sendertest.StageEHLO, Reply: "250-" + strings.Repeat("x", 1<<20)}},
	}
	want := httpWants(chatops.FailTransient)
	want[limiting] = chatops.FailTransient
	return &rig{
		sender: only(t, Options{Email: EmailOptions{URL: fake.URL(), From: "bot@firma.example"}}),
		alert: chatops.Alert{ID: 1, Target: "mailto:canary@x.example", Payload: payload(t, chatops.EmailPayload{
			Subject: canary, Text: "text",
		})},
		setFunc: func(tr trouble) { fake.Set(faults[tr]...) }, stopFunc: fake.Stop,
		received:  func() int { return len(fake.Mails()) },
		secrets:   []string{"usercanary", "passcanary", "canary@", fake.Addr()},
		want:      want,
		malformed: []string{`{}`, `{"subject":"x"}`, `{"text":"x"}`, `{"subject":1,"text":"x"}`},
	}
}

// eachRig runs a claim of the contract against every integration of the list.
func eachRig(t *testing.T, test func(*testing.T, *rig)) {
	for _, b := range builders() {
		start, ok := rigs[b.name]
		if !ok {
			t.Errorf("integration %s has no rig: the contract is not tested", b.name)
			continue
		}
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t))
		})
	}
}

// attempt sends the alert once, with the trouble in place.
func (r *rig) attempt(t *testing.T, tr trouble) error {
	t.Helper()
	limit := time.Minute
	if tr == hanging {
		limit = 3 * time.Second // a busy machine must get the request out within it
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	switch tr {
	case absent:
		r.stopFunc()
	case cancelled:
		cancel()
	default:
		r.setFunc(tr)
	}
	alert := r.alert
	start := time.Now()
	err := r.sender.Send(ctx, &alert)
	if tr == hanging && time.Since(start) > limit+time.Minute {
		t.Errorf("the attempt outlived its deadline by %v", time.Since(start)-limit)
	}
	return err
}

func TestContract_ClassifiesEveryTroubleAndShowsNoSecret(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		for _, tr := range []trouble{well, broken, limiting, hanging, dropping, babbling, endless, cancelled, well} {
			err := r.attempt(t, tr)
			want := r.want[tr]
			if want == "" {
				if err != nil {
					t.Errorf("receiver %s: %v", tr, err)
				}
				continue
			}
			f := failed(t, err, want)
			if want == chatops.FailRateLimited && f.RetryAfter != 7*time.Second {
				t.Errorf("receiver %s: retry after %v, want 7s", tr, f.RetryAfter)
			}
			if trips := f.TripsBreaker(); trips != (want != chatops.FailRateLimited && tr != cancelled) {
				t.Errorf("receiver %s: trips the breaker: %v", tr, trips)
			}
			if !strings.HasPrefix(f.Error(), r.sender.Integration()+": ") {
				t.Errorf("receiver %s: %q does not name the integration", tr, f)
			}
			if s := shows(err, append(r.secrets, canary, "\n", "\x00")); s != "" || shows(errors.New(f.Code), r.secrets) != "" {
				t.Errorf("receiver %s: %q shows %q", tr, err, s)
			}
		}
	})
}

func TestContract_AReceiverThatIsNotThereIsTransient(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		f := failed(t, r.attempt(t, absent), chatops.FailTransient)
		if want := r.sender.Integration() + ": connect: connection refused"; f.Error() != want {
			t.Errorf("got %q, want %q", f, want)
		}
		if !f.TripsBreaker() || f.HTTPStatus != 0 {
			t.Errorf("got %+v", f)
		}
	})
}

func TestContract_RecoversWithTheReceiver(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		before := r.received()
		for _, tr := range []trouble{dropping, hanging, broken} {
			if r.attempt(t, tr) == nil {
				t.Fatalf("receiver %s: the attempt succeeded", tr)
			}
		}
		if err := r.attempt(t, well); err != nil {
			t.Fatalf("after the trouble: %v", err)
		}
		if r.received() <= before {
			t.Fatal("nothing arrived")
		}
	})
}

func TestContract_APayloadThatCannotBeSentIsPermanent(t *testing.T) {
	t.Parallel()
	wrongForAll := []string{
		``, ` `, `{`, `null`, `[]`, `[{}]`, `"text"`, `7`, `{"a":1} trailing`, "\x00", `{"a":"` + "\xff",
		`{"text":"` + strings.Repeat("x", 10<<20) + `"}`, strings.Repeat("[", 100_000),
	}
	eachRig(t, func(t *testing.T, r *rig) {
		for _, text := range append(wrongForAll, r.malformed...) {
			alert := r.alert
			alert.Payload = json.RawMessage(text)
			f := failed(t, r.sender.Send(t.Context(), &alert), chatops.FailPermanent)
			if f.TripsBreaker() {
				t.Errorf("%.40q trips the breaker", text)
			}
		}
		if n := r.received(); n != 0 {
			t.Errorf("%d requests were made", n)
		}
	})
}

func TestContract_ServesManyAtOnce(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		const n = 16
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() {
				alert := r.alert
				alert.ID = int64(i + 1)
				if err := r.sender.Send(t.Context(), &alert); err != nil {
					t.Errorf("alert %d: %v", i, err)
				}
			})
		}
		group.Wait()
		if got := r.received(); got != n {
			t.Errorf("%d arrived, want %d", got, n)
		}
	})
}

func TestContract_NamesAndPoliciesAreUsable(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		if got, want := r.sender.Integration(), chatops.Integration(r.alert.Lane()); got != want {
			t.Errorf("integration %q serves the lane of %q", got, want)
		}
		p := r.sender.Policy()
		if p.Interval < 0 || p.Parallel < 0 || p.Timeout < 0 || p.Timeout > 2*time.Minute {
			t.Errorf("policy %+v", p)
		}
	})
}
