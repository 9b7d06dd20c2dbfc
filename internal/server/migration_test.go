package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestMigrate_IsOffUntilItHasASecret(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Options){
		"no secret":   func(o *Options) { o.MigrationSecret = "" },
		"no function": func(o *Options) { o.MigrateFunc = nil },
	} {
		f := newFull(t, change)
		for _, method := range []string{"GET", "POST"} {
			r := f.do(t, method, migrationPath+"?secret=", "", "X-Migration-Secret", testSecret)
			if r.wantProblem(t, http.StatusNotFound); f.do(t, method, "/nothing", "").StatusCode != r.StatusCode {
				t.Errorf("%s: %s differs from a page that does not exist", name, method)
			}
		}
	}
}

func TestMigrate_WantsTheSecretAndTellsWhatItDid(t *testing.T) {
	t.Parallel()
	ran := 0
	f := newFull(t, func(o *Options) {
		done := o.MigrateFunc
		o.MigrateFunc = func(ctx context.Context) (*MigrationReport, error) { ran++; return done(ctx) }
	})
	for _, header := range [][]string{
		nil, {"X-Migration-Secret", ""}, {"X-Migration-Secret", testSecret + "x"}, {"X-API-KEY", testKey}, {"Authorization", "Bearer " + testKey},
		{"X-ADMIN-API-KEY", testSecret},
	} {
		for _, query := range []string{"", "?secret=", "?secret=x", "?Secret=" + testSecret} {
			for _, method := range []string{"GET", "POST"} {
				if got := f.do(t, method, migrationPath+query, "", header...).wantProblem(t, http.StatusUnauthorized); got != "Unauthorized" {
					t.Errorf("error %q", got)
				}
			}
		}
	}
	if ran != 0 {
		t.Fatalf("ran %d times without the secret", ran)
	}
	want := map[string]any{
		"success": true, "message": "Database is up to date: 1 migrations applied", "applied": []any{"0001_conversations"},
		"adoption": map[string]any{"leads": 3.0},
	}
	for _, a := range []*answer{
		f.do(t, "POST", migrationPath, "", "X-Migration-Secret", testSecret, "Content-Type", ""),
		f.do(t, "POST", migrationPath, "a=b", "X-Migration-Secret", testSecret, "Content-Type", "application/x-www-form-urlencoded"),
		f.get(t, migrationPath+"?secret="+testSecret), f.get(t, migrationPath, "Authorization", "Bearer "+testSecret),
	} {
		if got := a.decode(t); a.StatusCode != http.StatusOK || !reflect.DeepEqual(got, want) {
			t.Errorf("status %d: %v, want %v", a.StatusCode, got, want)
		}
	}
	if logs := f.logs.String(); strings.Contains(logs, testSecret) || !strings.Contains(logs, "migrated") {
		t.Errorf("logs: %s", logs)
	}
}

func TestMigrate_NothingToDoIsASuccess(t *testing.T) {
	t.Parallel()
	f := newFull(t, func(o *Options) {
		o.MigrateFunc = func(context.Context) (*MigrationReport, error) { return &MigrationReport{}, nil }
	})
	want := map[string]any{"success": true, "message": "Database is up to date: nothing to do", "applied": []any{}, "adoption": nil}
	if got := f.get(t, migrationPath+"?secret="+testSecret).decode(t); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestMigrate_RunsOnceAtATimeAndOutlivesItsClient(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan context.Context, 1), make(chan struct{})
	f := newFull(t, func(o *Options) {
		o.MigrateFunc = func(ctx context.Context) (*MigrationReport, error) {
			begun <- ctx
			<-finish
			return &MigrationReport{}, ctx.Err()
		}
	})
	ctx, leave := context.WithCancel(t.Context())
	first := make(chan *answer, 1)
	go func() {
		r := newRequest(t, "POST", migrationPath, "").WithContext(ctx)
		r.Header.Set("X-Migration-Secret", testSecret)
		first <- f.serve(t, r)
	}()
	running := <-begun
	r := f.get(t, migrationPath+"?secret="+testSecret)
	if got := r.wantProblem(t, http.StatusConflict); !strings.Contains(got, "running") || r.Header.Get("Retry-After") == "" {
		t.Errorf("a second one: %q, %v", got, r.Header)
	}
	leave()
	if err := running.Err(); err != nil {
		t.Errorf("the migration ends with its client: %v", err)
	}
	close(finish)
	if r := <-first; r.StatusCode != http.StatusOK {
		t.Errorf("the first: status %d: %s", r.StatusCode, r.Body)
	}
}

func TestMigrate_ErrorsAreProblems(t *testing.T) {
	t.Parallel()
	err := chatops.Errorf(chatops.CodeConflict, "leads: two rows have the session s1")
	f := newFull(t, func(o *Options) {
		o.MigrateFunc = func(context.Context) (*MigrationReport, error) { return nil, err }
	})
	if got := f.get(t, migrationPath+"?secret="+testSecret).wantProblem(t, http.StatusConflict); got != err.Error() {
		t.Errorf("error %q", got)
	}
}

func newWaiting(tb testing.TB, migrate func(context.Context) (*MigrationReport, error)) *Migration {
	tb.Helper()
	return NewMigration(Options{MigrateFunc: migrate, MigrationSecret: testSecret})
}

func migrated(context.Context) (*MigrationReport, error) {
	return &MigrationReport{Applied: []string{"0001_conversations"}}, nil
}

func TestMigration_SaysThatItWaits(t *testing.T) {
	t.Parallel()
	m := newWaiting(t, migrated)
	ask := func(method, path string, header ...string) *answer {
		r := newRequest(t, method, path, "{}")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		m.ServeHTTP(w, r)
		return read(t, w.Result())
	}
	if r := ask("GET", "/livez"); r.StatusCode != http.StatusOK {
		t.Errorf("/livez: status %d", r.StatusCode)
	}
	for path, want := range map[string]string{
		"/readyz": `{"status":"not_ready","reason":"migrations pending"}`, "/api/health": `{"status":"unhealthy","database":"migrations_pending","service":"chatops"}`,
	} {
		if r := ask("GET", path); r.StatusCode != http.StatusServiceUnavailable || r.Body != want || r.Header.Get("Retry-After") == "" {
			t.Errorf("%s: status %d: %s", path, r.StatusCode, r.Body)
		}
	}
	for _, c := range [][2]string{{"POST", "/api/chatbot/chat"}, {"GET", "/"}, {"GET", "/api/leads/"}, {"POST", "/livez"}, {"DELETE", "/x"}, {"GET", "/openapi.json"}} {
		r := ask(c[0], c[1])
		if got := r.wantProblem(t, http.StatusServiceUnavailable); !strings.Contains(got, "chatops migrate up") || r.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %q", c[1], got)
		}
	}
	ask("POST", migrationPath).wantProblem(t, http.StatusUnauthorized)
	if r := ask("POST", migrationPath, "X-Migration-Secret", testSecret); r.StatusCode != http.StatusOK {
		t.Errorf("migrating: status %d: %s", r.StatusCode, r.Body)
	}
}

// ask sends a request over the network, on a connection of its own.
func ask(t *testing.T, method, url string) *answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}

func TestMigration_HandsItsPortOverOnceTheDatabaseIsReady(t *testing.T) {
	t.Parallel()
	ln := listen(t)
	base := "http://" + ln.Addr().String()
	m := newWaiting(t, migrated)
	type outcome struct {
		migrated bool
		err      error
	}
	ended := make(chan outcome, 1)
	go func() {
		ok, err := m.Run(t.Context(), ln)
		ended <- outcome{ok, err}
	}()
	if r := ask(t, "GET", base+"/readyz"); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("before: status %d", r.StatusCode)
	}
	if r := ask(t, "POST", base+migrationPath+"?secret="+testSecret); r.StatusCode != http.StatusOK {
		t.Errorf("migrating: status %d: %s", r.StatusCode, r.Body)
	}
	if got := <-ended; !got.migrated || got.err != nil {
		t.Fatalf("it ended with %+v", got)
	}
	// Who connects between the two servers is not refused, but waits.
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatalf("connect between the servers: %v", err)
	}
	defer func() { _ = conn.Close() }()

	ctx, stop := context.WithCancel(t.Context())
	next := newFixture(t, nil)
	served := make(chan error, 1)
	go func() { served <- next.Run(ctx, ln) }()
	if r := ask(t, "GET", base+"/readyz"); r.StatusCode != http.StatusOK {
		t.Errorf("after: status %d: %s", r.StatusCode, r.Body)
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := conn.Write([]byte("GET /livez HTTP/1.0\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 12)
	if _, err := conn.Read(buf); err != nil || !strings.HasPrefix(string(buf), "HTTP/1.0 200") {
		t.Errorf("who waited reads %q, %v", buf, err)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestMigration_EndsWhenAnotherReplicaHasMigratedOrItIsStopped(t *testing.T) {
	t.Parallel()
	m := newWaiting(t, migrated)
	m.Migrated()
	m.Migrated() // may be said twice
	if ok, err := m.Run(t.Context(), listen(t)); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	ln := listen(t)
	if ok, err := newWaiting(t, migrated).Run(ctx, ln); ok || err != nil {
		t.Errorf("stopped: %v, %v", ok, err)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the port stays open: %v", err)
	}
	if ok, err := newWaiting(t, migrated).Run(t.Context(), struct{ net.Listener }{ln}); ok || chatops.ErrorCode(err) != chatops.CodeInternal {
		t.Errorf("a listener without deadlines: %v, %v", ok, err)
	}
}
