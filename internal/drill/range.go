package drill

import (
	"context"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"chatops/internal/chatops"
)

// Range is a private installation: its folder, its receivers, and once it runs
// its store and address.
type Range struct {
	Folder string
	Store  chatops.Store
	// SQLFunc changes the database behind the store's back.
	SQLFunc func(ctx context.Context, statements ...string) error
	Address string // of the HTTP server: host:port
	// ServingFunc says where a service listens that is begun again and again, and
	// why it ended last; "" and nil at first.
	ServingFunc func() (address string, err error)

	slack  *slack
	monday *monday
	crm    *crm
	mail   *mail
	redis  *redis
	drill  *Drill

	postgres *postgres
}

// Open starts the receivers of a drill in a folder. CodeUnavailable without what
// the drill needs of this machine.
func Open(ctx context.Context, d *Drill, folder string) (r *Range, err error) {
	r = &Range{Folder: folder, drill: d}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if r.slack, err = startSlack(ctx); err != nil {
		return nil, err
	}
	if r.monday, err = startMonday(ctx); err != nil {
		return nil, err
	}
	if r.crm, err = startCRM(ctx); err != nil {
		return nil, err
	}
	if r.mail, err = startMail(ctx); err != nil {
		return nil, err
	}
	if d.Redis {
		if r.redis, err = startRedis(ctx, folder); err != nil {
			return nil, err
		}
	}
	if d.Postgres {
		if r.postgres, err = startPostgres(ctx, folder); err != nil {
			return nil, err
		}
	}
	return r, os.WriteFile(r.AddressFile(), []byte(person+"\n"), 0o600)
}

// Close stops the receivers.
func (r *Range) Close() {
	for _, s := range []interface{ stop() }{r.slack, r.monday, r.crm, r.mail, r.redis, r.postgres} {
		s.stop()
	}
}

// AddressFile holds the address of the person whom a drill is about.
func (r *Range) AddressFile() string { return filepath.Join(r.Folder, "address.txt") }

// Database is the file of the installation's database.
func (r *Range) Database() string { return filepath.Join(r.Folder, "chatbot.db") }

// Uses says what plays the parts.
func (r *Range) Uses() string {
	switch {
	case r.postgres != nil:
		return "a PostgreSQL of its own and played receivers"
	case r.redis != nil:
		return "an embedded database, played receivers and " + redisProgram
	}
	return "an embedded database and played receivers"
}

// Settings are the variables of the installation. Its waits are short: a drill is
// an hour in minutes.
func (r *Range) Settings() map[string]string {
	s := map[string]string{
		"DATABASE_URL": "sqlite://" + r.Database(), "LISTEN": "127.0.0.1", "PORT": "0", "ENVIRONMENT": "drill",
		"SLACK_WEBHOOK_URL": r.slack.url() + "/services/T0/B0/played0receiver", "SLACK_RATE": "100",
		"MONDAY_API_KEY": "played0receiver", "MONDAY_BOARD_ID": "4711", "MONDAY_API_URL": r.monday.url() + "/v2",
		"WEBHOOKS": "crm=" + r.crm.url() + "/leads/played0receiver#allow_private",
		"SMTP_URL": "smtp://" + r.mail.address() + "?tls=none", "MAIL_FROM": "bot@firma.example",
		"DLQ_MAX_RETRIES": "0", "DLQ_RETRY_DELAY_MINUTES": "0.01", "CB_FAIL_MAX": "1000", "FOLLOWUP_SCHEDULE": "off",
	}
	if r.redis != nil {
		s["REDIS_URL"] = "redis://127.0.0.1:" + strconv.Itoa(r.redis.port) + "/0"
		s["REDIS_PORT"] = strconv.Itoa(r.redis.port)
	}
	if r.postgres != nil {
		s["DATABASE_URL"] = r.postgres.url()
	}
	maps.Copy(s, r.drill.Settings)
	return s
}

// listen takes a free port of this machine alone.
func listen(ctx context.Context) (net.Listener, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, chatops.Errorf(chatops.CodeUnavailable, "drill: listen on loopback: %w", err)
	}
	return ln, nil
}
