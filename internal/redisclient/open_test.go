package redisclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"chatops/internal/chatops"
	"chatops/internal/redisclient"
	"chatops/internal/redistest"
	"chatops/internal/testserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(redistest.Wrap(m)) }

// patience bounds every wait for something that should come soon: on a machine
// that runs other tests meanwhile even a handshake may take more than its time.
const patience = 30 * time.Second

func open(t *testing.T, address string) redis.UniversalClient {
	t.Helper()
	c, err := redisclient.Open(address, redisclient.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// canary is a secret that must not be seen anywhere.
const canary = "Tr0ub4dor"

// works stores a value and reads it back.
func works(ctx context.Context, c redis.UniversalClient, key string) error {
	if err := c.Set(ctx, key, "value of "+key, time.Minute).Err(); err != nil {
		return err
	}
	got, err := c.Get(ctx, key).Result()
	if err == nil && got != "value of "+key {
		err = fmt.Errorf("read %q", got)
	}
	return err
}

func mustWork(t *testing.T, address string) redis.UniversalClient {
	t.Helper()
	c := open(t, address)
	if err := testserver.Poll(patience, func(ctx context.Context) error { return works(ctx, c, "k") }); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOpen_OneServerWithAPassword(t *testing.T) {
	t.Parallel()
	mustWork(t, redistest.New(t))
}

func TestOpen_AUnixSocketAndANumberedDatabase(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	mustWork(t, "unix://:"+s.Password()+"@"+s.Socket()+"?db=5")
	c := mustWork(t, strings.Replace(s.URL(), "/0", "/5", 1))
	if n := c.DBSize(t.Context()).Val(); n != 1 {
		t.Errorf("database 5 has %d keys, want the one of both clients", n)
	}
	if n := open(t, s.URL()).DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("database 0 has %d keys", n)
	}
}

func TestOpen_TLSTrustsOnlyTheAuthorityItIsTold(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{TLS: true})
	base := "rediss://:" + s.Password() + "@" + s.TLSAddr()
	mustWork(t, base+"?ca="+s.CAFile())
	mustWork(t, base+"?ca="+s.CAFile()+"&server_name="+redistest.TLSName)
	for address, part := range map[string]string{
		base: "the certificate of Redis is not trusted",
		base + "?ca=" + s.CAFile() + "&server_name=other.example":               "the certificate of Redis is not trusted",
		"rediss://:" + s.Password() + "@" + s.Addr() + "?ca=" + s.CAFile():      "Redis does not",
		strings.Replace(s.URL(), s.Addr(), s.TLSAddr(), 1):                      "Redis does not",
		strings.Replace(base, s.TLSAddr(), s.Addr(), 1) + "/0?ca=" + s.CAFile(): "Redis does not",
	} {
		refused(t, open(t, address), part)
	}
}

// refused checks what a ping says about a client that is not let in.
func refused(t *testing.T, c redis.UniversalClient, says string) {
	t.Helper()
	err := testserver.Poll(patience, func(ctx context.Context) error {
		err := redisclient.Ping(ctx, c)
		if chatops.ErrorCode(err) != chatops.CodeUnavailable || !strings.HasPrefix(chatops.ErrorMessage(err), says) {
			return fmt.Errorf("ping says %w", err)
		}
		if text := err.Error(); strings.Contains(text, canary) {
			t.Errorf("the password is shown: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Errorf("%v, want %q", err, says)
	}
}

func TestOpen_TLSShowsItsCertificateWhereTheServerWantsOne(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{TLS: true, Settings: map[string]string{"tls-auth-clients": "yes"}})
	base := "rediss://:" + s.Password() + "@" + s.TLSAddr() + "?ca=" + s.CAFile()
	cert, key := s.ClientCertificate()
	mustWork(t, base+"&cert="+cert+"&key="+key)
	if err := redisclient.Ping(t.Context(), open(t, base)); err == nil {
		t.Error("a client without a certificate was let in")
	}
}

func TestOpen_FilesThatCannotBeReadStopTheStart(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{TLS: true})
	cert, key := s.ClientCertificate()
	for _, query := range []string{"ca=/no/such.pem", "ca=" + key, "cert=" + cert + "&key=" + cert} {
		_, err := redisclient.Open("rediss://:"+s.Password()+"@cache?"+query, redisclient.Options{})
		if chatops.ErrorCode(err) != chatops.CodeInvalid || strings.Contains(err.Error(), s.Password()) {
			t.Errorf("%s: %v", query, err)
		}
	}
	if _, err := redisclient.Open("redis://a,b", redisclient.Options{}); chatops.ErrorCode(err) != chatops.CodeInvalid {
		t.Errorf("a bad address: %v", err)
	}
}

func TestOpen_AnACLUserMayDoWhatItIsPermitted(t *testing.T) {
	t.Parallel()
	const password = canary + "@/?"
	s := redistest.Start(t, redistest.Options{Settings: map[string]string{
		"user": "app on >" + password + " resetchannels ~k* -@all +get +set +select +hello",
	}})
	user := func(name, password string) string {
		return "redis://" + url.UserPassword(name, password).String() + "@" + s.Addr() + "/2"
	}
	c := mustWork(t, user("app", password))
	if err := c.Set(t.Context(), "other", "x", 0).Err(); err == nil || !strings.Contains(err.Error(), "NOPERM") {
		t.Errorf("a key that is not its own: %v", err)
	}
	refused(t, open(t, user("app", canary)), "Redis refuses the user or password")
	refused(t, open(t, "redis://"+s.Addr()), "Redis demands a password")
	refused(t, c, "Redis does not permit its user this command") // to ping
}

// A Sentinel fails the master over; a client that was made before goes on with
// the new one, also when a Sentinel is gone as well.
func TestOpen_SentinelFollowsTheMasterWithoutARestart(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinels(t)
	c := mustWork(t, s.URL())
	s.Watchers[0].Kill()
	s.Master.Kill()
	died := time.Now()
	err := testserver.Poll(patience, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		start := time.Now()
		err := works(ctx, c, "after")
		if took := time.Since(start); took > slack*60*time.Millisecond {
			t.Errorf("a command without a master took %v", took)
		}
		return err
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, s.Watchers[1].Log())
	}
	t.Logf("writes again %v after the master was killed", time.Since(died).Round(time.Millisecond))
	if got := open(t, s.Replica.URL()).Get(t.Context(), "after").Val(); got == "" {
		t.Error("the new master does not hold what was written")
	}
}

func TestOpen_SentinelThatKnowsNoSuchMasterIsToldSo(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinels(t)
	c := open(t, strings.Replace(s.URL(), "/"+redistest.MasterName, "/other", 1))
	refused(t, c, "no Sentinel knows a reachable master of that name")
}

func TestOpen_ClusterServesEveryKeyAndScriptsByHashTag(t *testing.T) {
	t.Parallel()
	s := redistest.StartCluster(t)
	c := mustWork(t, s.URL())
	for i := range 30 {
		if err := works(t.Context(), c, fmt.Sprint("key", i)); err != nil {
			t.Fatalf("key %d: %v", i, err)
		}
	}
	both := redis.NewScript(`redis.call('set', KEYS[1], ARGV[1]) redis.call('set', KEYS[2], ARGV[1]) return 1`)
	for i := range 10 {
		keys := []string{fmt.Sprintf("{client%d}a", i), fmt.Sprintf("{client%d}b", i)}
		if err := both.Run(t.Context(), c, keys, "x").Err(); err != nil {
			t.Fatalf("keys of one hash tag: %v", err)
		}
	}
	if err := both.Run(t.Context(), c, []string{"key1", "key2"}, "x").Err(); err == nil {
		t.Error("keys of two slots went through one script")
	}
	frozen(t, c, s.Nodes...)
	s.Nodes[1].Kill()
	s.Nodes[1].Start()
	err := testserver.Poll(patience, func(ctx context.Context) error {
		for i := range 30 {
			if err := works(ctx, c, fmt.Sprint("key", i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Errorf("after a node was killed and started again: %v", err)
	}
}

func TestOpen_NobodyWaitsForAServerThatHangs(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{TLS: true})
	frozen(t, mustWork(t, s.URL()), s)
	frozen(t, open(t, s.URL()), s)                                                       // it has to connect first
	frozen(t, open(t, "rediss://:"+s.Password()+"@"+s.TLSAddr()+"?ca="+s.CAFile()), s)   // and to shake hands
	frozen(t, open(t, "redis+sentinel://"+s.Addr()+"/m"), s)                             // and to ask
	frozen(t, open(t, "redis+cluster://:"+s.Password()+"@"+s.Addr()+","+s.TLSAddr()), s) // and to ask
	if err := redisclient.Ping(t.Context(), mustWork(t, s.URL())); err != nil {
		t.Errorf("it answers again, but: %v", err)
	}
}

// frozen checks that a command given 50 ms ends in time while servers hang, and
// one without a deadline soon.
func frozen(t *testing.T, c redis.UniversalClient, servers ...*redistest.Server) {
	t.Helper()
	for _, s := range servers {
		s.Pause()
	}
	defer func() {
		for _, s := range servers {
			s.Resume()
		}
	}()
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		start := time.Now()
		err := c.Get(ctx, "key1").Err()
		took := time.Since(start)
		cancel()
		if err == nil || errors.Is(err, redis.Nil) || took > slack*60*time.Millisecond {
			t.Errorf("a command given 50 ms took %v: %v", took, err)
		}
	}
	start := time.Now()
	if err := c.Get(t.Context(), "key1").Err(); err == nil || time.Since(start) > slack*500*time.Millisecond {
		t.Errorf("a command without a deadline took %v: %v", time.Since(start), err)
	}
	start = time.Now()
	err := redisclient.Ping(t.Context(), c)
	if chatops.ErrorCode(err) != chatops.CodeUnavailable || time.Since(start) > slack*250*time.Millisecond {
		t.Errorf("a ping took %v: %v", time.Since(start), err)
	}
}
