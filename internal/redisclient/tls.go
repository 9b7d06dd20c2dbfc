package redisclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"time"

	"chatops/internal/chatops"
)

// secured returns how TLS is spoken, or nil in clear text. Files are read now:
// a missing one stops the start instead of every later connection.
func (a *address) secured() (*tls.Config, error) {
	if !a.tls {
		return nil, nil //nolint:nilnil // no TLS is the usual case, and no error
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: a.serverName}
	if a.ca != "" {
		text, err := os.ReadFile(a.ca)
		if err != nil {
			return nil, chatops.Errorf(chatops.CodeInvalid, "read the certificates of option ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, invalid("read the certificates of option ca: %s holds none in PEM form", a.ca)
		}
	}
	if a.cert != "" {
		own, err := tls.LoadX509KeyPair(a.cert, a.key)
		if err != nil {
			return nil, chatops.Errorf(chatops.CodeInvalid, "read the client certificate of options cert and key: %w", err)
		}
		c.Certificates = []tls.Certificate{own}
	}
	return c, nil
}

// keepAlive notices a peer that is gone without a word, on connections that
// wait in the pool.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// dialer connects, TLS handshake included, within dialTimeout and the context.
// The client library's own dialer lets a handshake outlive the context.
func dialer(secured *tls.Config) func(context.Context, string, string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: dialTimeout, KeepAliveConfig: keepAlive}
	if secured == nil {
		return plain.DialContext
	}
	return (&tls.Dialer{NetDialer: plain, Config: secured}).DialContext
}
