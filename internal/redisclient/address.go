package redisclient

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"chatops/internal/chatops"
)

// kind is how the servers behind an address belong together.
type kind int

const (
	single kind = iota
	sentinel
	cluster
)

// address is a Redis address, taken apart.
type address struct {
	kind           kind
	socket         bool // hosts holds the path of a Unix socket
	tls            bool
	user, password string
	hosts          []string // host:port
	master         string   // name that the Sentinels know it by
	db             int

	sentinelUser, sentinelPassword string
	ca, cert, key, serverName      string
}

// Forms says what an address looks like.
const Forms = "redis://user:password@host:6379/0, rediss://..., unix:///path/redis.sock, " +
	"redis+sentinel://user:password@host1:26379,host2:26379/mastername/0 or redis+cluster://user:password@host1:6379,host2:6379"

const (
	defaultPort         = "6379"
	defaultSentinelPort = "26379"
)

// Check reports whether an address can be read: CodeInvalid when not. It opens
// no file and connects to nothing.
func Check(rawURL string) error {
	_, err := parse(rawURL)
	return err
}

// invalid makes an error about an address. Its text may hold nothing of the
// address but names of options that are known not to be secret.
func invalid(format string, args ...any) error {
	return chatops.Errorf(chatops.CodeInvalid, format, args...)
}

// parse takes an address apart. net/url is not used for the whole of it because
// it knows no lists of hosts.
func parse(rawURL string) (*address, error) {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	a := &address{}
	if !ok || !a.readScheme(strings.ToLower(scheme)) {
		return nil, invalid("not a Redis address of the form %s", Forms)
	}
	rest, query, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	if strings.ContainsAny(path+query, "@#") || strings.Contains(authority, "#") {
		return nil, invalid("special characters (@ / ? # : %%) of a user, password or path must be percent-encoded, in the form %s", Forms)
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		if err := a.readUser(authority[:i]); err != nil {
			return nil, err
		}
		authority = authority[i+1:]
	}
	path, err := url.PathUnescape(path)
	if err != nil {
		return nil, invalid("the path is not percent-encoded properly; the form is %s", Forms)
	}
	if err := a.readPlace(authority, path); err != nil {
		return nil, err
	}
	if err := a.readOptions(query); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *address) readScheme(scheme string) bool {
	base, suffix, _ := strings.Cut(scheme, "+")
	a.tls = base == "rediss"
	a.socket = scheme == "unix"
	switch suffix {
	case "":
		a.kind = single
	case "sentinel":
		a.kind = sentinel
	case "cluster":
		a.kind = cluster
	default:
		return false
	}
	return a.socket || (base == "redis" || a.tls) && !strings.HasSuffix(scheme, "+")
}

func (a *address) readUser(info string) error {
	user, password, both := strings.Cut(info, ":")
	var userErr, passwordErr error
	a.user, userErr = url.PathUnescape(user)
	a.password, passwordErr = url.PathUnescape(password)
	if userErr != nil || passwordErr != nil {
		return invalid("the user or password is not percent-encoded properly; the form is %s", Forms)
	}
	if !both || a.password == "" {
		return invalid("a user needs a password, and a password without a user stands after a colon: redis://:password@host")
	}
	return nil
}

// readPlace reads where the servers are: what stands between the user and the
// options.
func (a *address) readPlace(authority, path string) error {
	if a.socket {
		if authority != "" || path == "" {
			return invalid("a Unix socket is of the form unix://user:password@/path/redis.sock?db=0")
		}
		a.hosts = []string{"/" + path}
		return nil
	}
	port := defaultPort
	if a.kind == sentinel {
		port = defaultSentinelPort
	}
	for host := range strings.SplitSeq(authority, ",") {
		withPort, ok := hostPort(host, port)
		if !ok {
			return invalid("a host is of the form host, host:port or [IPv6 address]:port, and lists are separated by commas; the whole is %s", Forms)
		}
		a.hosts = append(a.hosts, withPort)
	}
	if a.kind == single && len(a.hosts) > 1 {
		return invalid("several hosts need redis+sentinel:// or redis+cluster://")
	}
	return a.readPath(strings.Trim(path, "/"))
}

func (a *address) readPath(path string) error {
	db := path
	switch a.kind {
	case single:
	case sentinel:
		if a.master, db, _ = strings.Cut(path, "/"); a.master == "" {
			return invalid("the master's name is missing: redis+sentinel://host1:26379,host2:26379/mastername/0")
		}
	case cluster:
		if path != "" && path != "0" {
			return invalid("a Cluster has no databases: redis+cluster://host1:6379,host2:6379")
		}
	}
	return a.readDB(db)
}

func (a *address) readDB(text string) error {
	if text == "" {
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return invalid("the database must be a number such as 0")
	}
	a.db = int(n)
	return nil
}

// hostPort completes a host with a port.
func hostPort(text, port string) (string, bool) {
	host := text
	if h, p, err := net.SplitHostPort(text); err == nil {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return "", false
		}
		host, port = h, p
	} else if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") {
		host = strings.TrimSuffix(inner, "]")
	} else if strings.Contains(text, ":") {
		return "", false
	}
	if (text[:min(1, len(text))] == "[") != strings.Contains(host, ":") || strings.Contains(host, ":") && net.ParseIP(host) == nil || strings.ContainsAny(host, "[] %\t\r\n") || host == "" {
		return "", false
	}
	return net.JoinHostPort(host, port), true
}

// optionNames are the options of an address, in the order of the documentation.
var optionNames = []string{"ca", "cert", "key", "server_name", "db", "sentinel_username", "sentinel_password"}

func (a *address) readOptions(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return invalid("the options after ? are not percent-encoded properly")
	}
	for name, all := range values {
		if !slices.Contains(optionNames, name) || len(all) != 1 || all[0] == "" {
			return invalid("after ? may stand, once each and with a value: %s", strings.Join(optionNames, ", "))
		}
	}
	a.ca, a.cert, a.key, a.serverName = values.Get("ca"), values.Get("cert"), values.Get("key"), values.Get("server_name")
	a.sentinelUser, a.sentinelPassword = values.Get("sentinel_username"), values.Get("sentinel_password")
	switch {
	case !a.tls && a.ca+a.cert+a.key+a.serverName != "":
		return invalid("ca, cert, key and server_name need TLS: an address that begins with rediss")
	case (a.cert == "") != (a.key == ""):
		return invalid("cert and key, the files of a client certificate, come together")
	case a.kind != sentinel && a.sentinelUser+a.sentinelPassword != "":
		return invalid("sentinel_username and sentinel_password need redis+sentinel://")
	case a.sentinelUser != "" && a.sentinelPassword == "":
		return invalid("sentinel_username needs sentinel_password")
	case a.kind == cluster && values.Get("db") != "" && values.Get("db") != "0":
		return invalid("a Cluster has no databases: leave db out")
	}
	return a.readDB(values.Get("db"))
}
