package sender

import (
	"slices"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

func names(senders []chatops.AlertSender) []string {
	var list []string
	for _, s := range senders {
		list = append(list, s.Integration())
	}
	return list
}

func everything() Options {
	return Options{
		Slack:  SlackOptions{WebhookURL: "https://hooks.slack.example/hunter2"},
		Monday: MondayOptions{APIKey: "hunter2", BoardID: "1"},
		Email:  EmailOptions{URL: "smtp://user:hunter2@mail.example"},
		Webhooks: map[string]WebhookOptions{
			"erp": {URL: "https://erp.example/hunter2"}, "crm": {URL: "https://crm.example/hunter2"},
		},
	}
}

func TestNew_BuildsWhatIsConfiguredAndNothingElse(t *testing.T) {
	t.Parallel()
	partly := everything()
	partly.Monday = MondayOptions{}
	for _, tt := range []struct {
		options Options
		want    []string
	}{
		{Options{}, nil},
		{everything(), []string{"slack", "monday", "email", "webhook:crm", "webhook:erp"}},
		{partly, []string{"slack", "email", "webhook:crm", "webhook:erp"}},
		{Options{LogMissing: true}, []string{"slack", "monday", "email"}},
	} {
		senders, err := New(tt.options)
		if err != nil || !slices.Equal(names(senders), tt.want) {
			t.Errorf("got %v, %v, want %v", names(senders), err, tt.want)
		}
	}
}

func TestNew_RefusesSettingsThatCannotWorkWithoutShowingThem(t *testing.T) {
	t.Parallel()
	for setting, change := range map[string]func(*Options){
		"SLACK_WEBHOOK_URL": func(o *Options) { o.Slack.WebhookURL = "hooks.slack.example/hunter2" },
		"SLACK_RATE":        func(o *Options) { o.Slack.Rate = -2 },
		"MONDAY_BOARD_ID":   func(o *Options) { o.Monday.BoardID = "" },
		"MONDAY_API_KEY":    func(o *Options) { o.Monday.APIKey = "hunter2\n" },
		"MONDAY_API_URL":    func(o *Options) { o.Monday.URL = "not a url/hunter2" },
		"MONDAY_COLUMNS":    func(o *Options) { o.Monday.Columns = map[string]string{"email": "email_1:colour"} },
		"SMTP_URL":          func(o *Options) { o.Email.URL = "smtp://user:hunter2@mail.example?tls=maybe" },
		"MAIL_FROM":         func(o *Options) { o.Email.From = "two@x.example, addresses@x.example" },
		"WEBHOOKS: crm":     func(o *Options) { o.Webhooks["crm"] = WebhookOptions{URL: "https://x.example", Secret: "hunter2!"} },
		"WEBHOOKS: erp":     func(o *Options) { o.Webhooks["erp"] = WebhookOptions{URL: "hunter2"} },
		"WEBHOOKS: name":    func(o *Options) { o.Webhooks["a/b"] = WebhookOptions{URL: "https://x.example"} },
	} {
		options := everything()
		change(&options)
		_, err := New(options)
		if chatops.ErrorCode(err) != chatops.CodeInvalid || !strings.HasPrefix(err.Error(), setting) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

func TestIntegrations_NamesEveryKindAndEachWebhook(t *testing.T) {
	t.Parallel()
	got := Integrations(&Options{Webhooks: map[string]WebhookOptions{"erp": {}, "crm": {}}})
	if want := []string{"slack", "monday", "email", "webhook:crm", "webhook:erp"}; !slices.Equal(got, want) {
		t.Errorf("integrations %v, want %v", got, want)
	}
}
