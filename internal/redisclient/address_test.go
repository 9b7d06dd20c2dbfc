package redisclient

import (
	"reflect"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

func TestParse_ReadsEveryForm(t *testing.T) {
	t.Parallel()
	tests := map[string]address{
		"redis://cache":                 {hosts: []string{"cache:6379"}},
		"redis://cache:7000/":           {hosts: []string{"cache:7000"}},
		"REDIS://cache/3":               {hosts: []string{"cache:6379"}, db: 3},
		"redis://:p%40%2Fw@cache/0":     {hosts: []string{"cache:6379"}, password: "p@/w"},
		"redis://:p:@w@cache":           {hosts: []string{"cache:6379"}, password: "p:@w"},
		"redis://app:pw@[::1]:7000/1":   {hosts: []string{"[::1]:7000"}, user: "app", password: "pw", db: 1},
		"redis://[2001:db8::1]":         {hosts: []string{"[2001:db8::1]:6379"}},
		"redis://cache?db=2":            {hosts: []string{"cache:6379"}, db: 2},
		"unix:///run/redis/redis.sock":  {socket: true, hosts: []string{"/run/redis/redis.sock"}},
		"unix://:pw@/run/r.sock?db=1":   {socket: true, hosts: []string{"/run/r.sock"}, password: "pw", db: 1},
		"unix://a:pw@/run/my%20r.sock":  {socket: true, hosts: []string{"/run/my r.sock"}, user: "a", password: "pw"},
		"rediss://cache?server_name=r":  {tls: true, hosts: []string{"cache:6379"}, serverName: "r"},
		"rediss://cache?ca=%2Fca.pem":   {tls: true, hosts: []string{"cache:6379"}, ca: "/ca.pem"},
		"rediss://c?cert=/c.pem&key=/k": {tls: true, hosts: []string{"c:6379"}, cert: "/c.pem", key: "/k"},
		"redis+sentinel://app:pw@h1,h2:1,[::1]/mine/2?sentinel_password=s%26p&sentinel_username=w": {
			kind: sentinel, user: "app", password: "pw", hosts: []string{"h1:26379", "h2:1", "[::1]:26379"}, master: "mine", db: 2,
			sentinelUser: "w", sentinelPassword: "s&p",
		},
		"rediss+sentinel://h/mine":     {kind: sentinel, tls: true, hosts: []string{"h:26379"}, master: "mine"},
		"redis+cluster://:pw@h1,h2:1":  {kind: cluster, password: "pw", hosts: []string{"h1:6379", "h2:1"}},
		"rediss+cluster://h1/0?db=0":   {kind: cluster, tls: true, hosts: []string{"h1:6379"}},
		"rediss+cluster://h1/?ca=/c.p": {kind: cluster, tls: true, hosts: []string{"h1:6379"}, ca: "/c.p"},
	}
	for text, want := range tests {
		got, err := parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if !reflect.DeepEqual(*got, want) {
			t.Errorf("%s\nread as %+v\nwant    %+v", text, *got, want)
		}
	}
}

func TestParse_SaysWhatIsWrongAndNeverShowsThePassword(t *testing.T) {
	t.Parallel()
	const secret = "Tr0ub4dor"
	tests := map[string]string{ // address -> part of the text
		"":                                                      "of the form redis://",
		"cache:6379":                                            "of the form redis://",
		secret + "@cache:6379":                                  "of the form redis://",
		"http://:" + secret + "@cache":                          "of the form redis://",
		"redis+ring://:" + secret + "@cache":                    "of the form redis://",
		"redis+://:" + secret + "@cache":                        "of the form redis://",
		"unix+cluster://:" + secret + "@cache":                  "of the form redis://",
		"redis://:" + secret + "/x@cache":                       "must be percent-encoded",
		"redis://:x?" + secret + "@cache":                       "must be percent-encoded",
		"redis://:x#" + secret + "@cache":                       "must be percent-encoded",
		"redis://:%zz" + secret + "@cache":                      "percent-encoded properly",
		"redis://" + secret + "@cache":                          "redis://:password@host",
		"redis://" + secret + ":@cache":                         "redis://:password@host",
		"redis://:" + secret + "@":                              "a host is",
		"redis://:" + secret + "@h:0":                           "a host is",
		"redis://:" + secret + "@h:70000":                       "a host is",
		"redis://:" + secret + "@h h":                           "a host is",
		"redis://:" + secret + "@::1":                           "a host is",
		"redis://:" + secret + "@[x]:1":                         "a host is",
		"redis://:" + secret + "@h1,,h2":                        "a host is",
		"redis://:" + secret + "@h1,h2":                         "need redis+sentinel:// or redis+cluster://",
		"redis://:" + secret + "@h/zero":                        "must be a number",
		"redis://:" + secret + "@h/-1":                          "must be a number",
		"redis://:" + secret + "@h/%zz":                         "the path is not percent-encoded",
		"redis://:" + secret + "@h?db=x":                        "must be a number",
		"redis://:" + secret + "@h?" + secret + "=1":            "after ? may stand",
		"redis://:" + secret + "@h?db=1&db=2":                   "after ? may stand",
		"redis://:" + secret + "@h?db=%zz":                      "after ? are not",
		"redis://:" + secret + "@h?ca=/c":                       "begins with rediss",
		"redis://:" + secret + "@h?sentinel_password=" + secret: "need redis+sentinel://",
		"rediss://:" + secret + "@h?cert=/c":                    "come together",
		"redis+sentinel://:" + secret + "@h":                    "master's name is missing",
		"redis+sentinel://:" + secret + "@h/m/x":                "must be a number",
		"redis+sentinel://h/m?sentinel_username=" + secret:      "needs sentinel_password",
		"redis+cluster://:" + secret + "@h/1":                   "no databases",
		"redis+cluster://:" + secret + "@h?db=1":                "no databases",
		"unix://:" + secret + "@host/r.sock":                    "unix://user:password@/path",
		"unix://:" + secret + "@":                               "unix://user:password@/path",
	}
	for text, part := range tests {
		err := Check(text)
		if chatops.ErrorCode(err) != chatops.CodeInvalid || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want %q", text, err, part)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the password is shown: %v", text, err)
		}
	}
}

func FuzzParse_NeverShowsAPassword(f *testing.F) {
	const canary = "Tr0ub4dor"
	for _, seed := range []string{"@h", "@h/0?db=1", "/@h", "?x@h", "#@h", "%zz@h,h2/m", "@[::1]:1/?ca=%2Fx"} {
		f.Add("redis", seed)
		f.Add("rediss+sentinel", seed)
		f.Add("unix", seed)
	}
	f.Fuzz(func(t *testing.T, scheme, tail string) {
		a, err := parse(scheme + "://:" + canary + tail)
		switch {
		case err != nil && strings.Contains(err.Error(), canary):
			t.Fatalf("the password is shown: %v", err)
		case err == nil && strings.Contains(strings.Join(a.hosts, " ")+a.master, canary):
			t.Fatalf("a password is taken for something else: %+v", a)
		}
	})
}
