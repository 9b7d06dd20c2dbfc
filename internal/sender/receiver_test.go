package sender

import (
	"strings"
	"testing"
)

// places are receivers as names and addresses.
func places(list []Receiver) string {
	var parts []string
	for _, r := range list {
		part := r.Integration + " " + r.Address
		if r.Err != nil {
			part += r.Err.Error()
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

func TestReceivers_AreThoseOfTheSendersAndShowNoSecret(t *testing.T) {
	t.Parallel()
	options := everything()
	senders, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	got := Receivers(options)
	for i, s := range senders {
		if _, ok := s.(located); !ok {
			t.Errorf("%s does not say where it connects to", s.Integration())
		}
		if got[i].Integration != s.Integration() {
			t.Errorf("receiver %d is %s, the sender is %s", i, got[i].Integration, s.Integration())
		}
	}
	const want = "slack https://hooks.slack.example; monday https://api.monday.com; email smtp://mail.example:587; " +
		"webhook:crm https://crm.example; webhook:erp https://erp.example"
	if places(got) != want {
		t.Errorf("they are\n%s\nwant\n%s", places(got), want)
	}
	if list := Receivers(Options{LogMissing: true}); len(list) > 0 {
		t.Errorf("without settings there are %s", places(list))
	}
}

func TestReceivers_OfAMailServerSaySoWhereItSpeaksTLSFirst(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"smtp://u:hunter2@mail.example:2525?tls=implicit": "email smtps://mail.example:2525",
		"smtp://mail.example?tls=implicit":                "email smtps://mail.example:465",
		"smtp://mail.example?tls=none":                    "email smtp://mail.example:25",
		"smtp://[2001:db8::1]:25?tls=none":                "email smtp://[2001:db8::1]:25",
	} {
		if got := places(Receivers(Options{Email: EmailOptions{URL: raw}})); got != want {
			t.Errorf("it is %s, want %s", got, want)
		}
	}
}

func TestReceivers_ABadSettingIsOneErrorAndNotTheEnd(t *testing.T) {
	t.Parallel()
	options := everything()
	options.Slack.WebhookURL = "hooks.slack.example/hunter2"
	got := Receivers(options)
	if len(got) != 5 || got[0].Integration != "slack" || got[0].Err == nil || got[0].Address != "" || got[1].Err != nil {
		t.Errorf("they are %s", places(got))
	}
	if strings.Contains(places(got), "hunter2") {
		t.Errorf("a secret is shown: %s", places(got))
	}
}
