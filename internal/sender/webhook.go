package sender

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"chatops/internal/chatops"
)

// WebhookOptions configures one generic webhook.
type WebhookOptions struct {
	// URL is where events go. The fragment #allow_private, which is not part of
	// the address, is the same as AllowPrivate.
	URL string
	// Secret signs the events: whsec_ and base64, as in the Standard Webhooks
	// specification. Several, separated by spaces, sign each event several
	// times, for rotation. Empty: events are not signed.
	Secret string
	// AllowPrivate permits loopback, private and other addresses that are not
	// reachable from the internet.
	AllowPrivate bool
}

const allowPrivateFragment = "#allow_private"

// webhook posts events to one address.
type webhook struct {
	name    string // "webhook:crm"
	url     string
	keys    [][]byte
	http    *httpClient
	nowFunc func() time.Time
}

var webhookName = chatops.Pattern(`^[A-Za-z0-9_-]{1,64}$`)

func buildWebhooks(o *Options) ([]chatops.AlertSender, error) {
	senders := make([]chatops.AlertSender, 0, len(o.Webhooks))
	for _, name := range slices.Sorted(maps.Keys(o.Webhooks)) {
		w, err := newWebhook(name, o.Webhooks[name], o)
		if err != nil {
			return nil, err
		}
		senders = append(senders, w)
	}
	return senders, nil
}

func newWebhook(name string, hook WebhookOptions, o *Options) (*webhook, error) {
	if !webhookName().MatchString(name) {
		return nil, chatops.Errorf(chatops.CodeInvalid, "WEBHOOKS: name %q: must have 1 to 64 letters, digits, _ or -", name)
	}
	address, private := strings.CutSuffix(hook.URL, allowPrivateFragment)
	if err := checkEndpoint("WEBHOOKS: "+name, address); err != nil {
		return nil, err
	}
	keys, err := signingKeys(name, hook.Secret)
	if err != nil {
		return nil, err
	}
	var control func(network, address string, c syscall.RawConn) error
	if !private && !hook.AllowPrivate {
		control = publicOnly
	}
	full := "webhook:" + name
	return &webhook{
		name: full, url: address, keys: keys,
		http: newHTTPClient(full, o.Version, control), nowFunc: o.NowFunc,
	}, nil
}

func signingKeys(name, secrets string) ([][]byte, error) {
	var keys [][]byte
	for secret := range strings.FieldsSeq(secrets) {
		encoded := strings.TrimRight(strings.TrimPrefix(secret, "whsec_"), "=")
		key, err := base64.RawStdEncoding.DecodeString(encoded)
		if err != nil || len(key) == 0 {
			return nil, chatops.Errorf(chatops.CodeInvalid, "WEBHOOKS: %s: the secret must be whsec_ followed by base64", name)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (w *webhook) Integration() string { return w.name }

func (w *webhook) Policy() chatops.LanePolicy { return chatops.LanePolicy{Parallel: 4} }

// Send posts the payload as it is stored, a chatops.WebhookPayload or any other
// JSON object, with the headers of Standard Webhooks. Idempotency-Key and
// webhook-id are the same for every attempt of an alert; the timestamp, and with
// it the signature, are the attempt's.
func (w *webhook) Send(ctx context.Context, alert *chatops.Alert) error {
	var event map[string]json.RawMessage
	if f := decodePayload(w.name, alert, &event); f != nil {
		return f
	}
	id, at := headerKey(alert), strconv.FormatInt(w.nowFunc().Unix(), 10)
	header := http.Header{"Idempotency-Key": {id}, "Webhook-Id": {id}, "Webhook-Timestamp": {at}}
	if signature := w.sign(id, at, alert.Payload); signature != "" {
		header.Set("Webhook-Signature", signature)
	}
	reply, err := w.http.post(ctx, w.url, alert.Payload, header)
	if err != nil {
		return err
	}
	if reply.ok() {
		return nil
	}
	return statusFailure(w.name, reply, "", w.nowFunc())
}

// sign returns the value of webhook-signature, "" without a secret.
func (w *webhook) sign(id, at string, body []byte) string {
	signatures := make([]string, 0, len(w.keys))
	for _, key := range w.keys {
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write([]byte(id + "." + at + ".")) // a hash never fails
		_, _ = mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(signatures, " ")
}
