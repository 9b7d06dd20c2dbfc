package drill

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// refusing is the range of a service that says so of itself.
func refusing(address string, err error) *Range {
	d, _ := Find("serve-refuses")
	return &Range{drill: &d, ServingFunc: func() (string, error) { return address, err }}
}

// lacking is why a service does not start that waits for a migration.
func lacking() error {
	return chatops.Errorf(chatops.CodeFinding, "serve: the database lacks 1 migration")
}

func TestServeRefuses_ShowsHowItEnded(t *testing.T) {
	t.Parallel()
	if evidence := mustBreak(t, refusing("", lacking())); !strings.Contains(evidence, "status=4") || strings.Contains(evidence, "migration") {
		t.Errorf("it shows %q", evidence)
	}
	r := refusing("", chatops.Errorf(chatops.CodeUnavailable, "no room on the disk"))
	if _, err := r.drill.Break(t.Context(), r); chatops.ErrorCode(err) != chatops.CodeUnavailable {
		t.Errorf("one that ends for another reason makes %v", err)
	}
}

func TestServeRefuses_IsRepairedOnceItIsReady(t *testing.T) {
	t.Parallel()
	wantLeft(t, refusing("", nil), "the service does not start")
	wantLeft(t, refusing("", lacking()), "the service does not start: serve: the database lacks 1 migration")
	status := http.StatusServiceUnavailable
	ln, err := listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 1)
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		asked <- q.Method + " " + q.URL.Path
		w.WriteHeader(status)
	})}
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close() })
	r := refusing(ln.Addr().String(), nil)
	wantLeft(t, r, "the service is not ready")
	if got := <-asked; got != "GET /readyz" {
		t.Errorf("it was asked %s", got)
	}
	status = http.StatusOK
	wantLeft(t, r, "")
	<-asked
	_ = server.Close()
	wantLeft(t, r, "the service is not ready")
}

func TestPostgres_ListensOnLoopbackWithAPasswordOfItsOwn(t *testing.T) {
	t.Parallel()
	d, _ := Find("serve-refuses")
	p := &postgres{port: 4711, password: "SECRET"}
	r := &Range{drill: &d, postgres: p, slack: &slack{}, monday: &monday{}, crm: &crm{}, mail: &mail{}}
	ln, err := listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	r.slack.ln, r.monday.ln, r.crm.ln, r.mail.ln = ln, ln, ln, ln
	if got := r.Settings()["DATABASE_URL"]; got != "postgres://drill:SECRET@127.0.0.1:4711/postgres?sslmode=disable" {
		t.Errorf("the database is %s", got)
	}
	if got := r.Uses(); got != "a PostgreSQL of its own and played receivers" {
		t.Errorf("it uses %s", got)
	}
}

func TestOrdinaryUser_IsNeverRoot(t *testing.T) {
	t.Parallel()
	if u, err := ordinaryUser(1000); u != nil || err != nil {
		t.Errorf("somebody who is not root becomes %+v, %v", u, err)
	}
	u, err := ordinaryUser(0)
	if err == nil && u.Uid == 0 || err != nil && chatops.ErrorCode(err) != chatops.CodeUnavailable {
		t.Errorf("root becomes %+v, %v", u, err)
	}
}
