package sender

import (
	"log/slog"
	"maps"
	"slices"
	"time"

	"chatops/internal/chatops"
)

// Options configures every integration. A zero block leaves its integration out.
type Options struct {
	Slack    SlackOptions
	Monday   MondayOptions
	Email    EmailOptions
	Webhooks map[string]WebhookOptions // by the name in the target webhook:<name>

	// Version is sent to receivers as User-Agent chatops/<version>.
	Version string
	// LogMissing puts a log sender in the place of Slack, Monday and e-mail
	// where they are not configured.
	LogMissing bool
	// Log is where log senders write; nil means slog.Default().
	Log *slog.Logger
	// NowFunc is the clock for signatures, dates and Retry-After; nil means
	// time.Now.
	NowFunc func() time.Time
}

// builder makes the senders of one kind of integration; none when it is not
// configured.
type builder struct {
	name string
	// standIn: with Options.LogMissing a log sender of this name takes the
	// place of a missing integration.
	standIn   bool
	buildFunc func(*Options) ([]chatops.AlertSender, error)
}

// builders is the list of integrations. A new one is a file and a line here;
// the contract test fails until it covers the line.
func builders() []builder {
	return []builder{
		{name: "slack", standIn: true, buildFunc: buildSlack},
		{name: "monday", standIn: true, buildFunc: buildMonday},
		{name: "email", standIn: true, buildFunc: buildEmail},
		{name: "webhook", buildFunc: buildWebhooks},
	}
}

// Integrations names everything that alerts can go to with these options,
// configured or not: each kind of which there is one, and each webhook.
func Integrations(options *Options) []string {
	var names []string
	for _, b := range builders() {
		if b.standIn {
			names = append(names, b.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(options.Webhooks)) {
		names = append(names, "webhook:"+name)
	}
	return names
}

// New builds the sender of every configured integration, in the order of the
// list. It connects to nothing. CodeInvalid names a setting that cannot work,
// without its value.
func New(options Options) ([]chatops.AlertSender, error) {
	if options.NowFunc == nil {
		options.NowFunc = time.Now
	}
	if options.Log == nil {
		options.Log = slog.Default()
	}
	var all []chatops.AlertSender
	for _, b := range builders() {
		senders, err := b.buildFunc(&options)
		if err != nil {
			return nil, err
		}
		if len(senders) == 0 && b.standIn && options.LogMissing {
			senders = []chatops.AlertSender{newLogSender(b.name, &options)}
		}
		all = append(all, senders...)
	}
	return all, nil
}
