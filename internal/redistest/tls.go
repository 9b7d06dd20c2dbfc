package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"chatops/internal/testserver"
)

// TLSName is the name that a server's certificate is for, besides its address.
const TLSName = "redis.example"

// TLSAddr is the address at which the server speaks TLS.
func (s *Server) TLSAddr() string { return net.JoinHostPort(s.address, strconv.Itoa(s.tlsPort)) }

// CAFile is the file of the authority that issued the server's certificate.
func (s *Server) CAFile() string { return filepath.Join(s.dir, "ca.pem") }

// ClientCertificate returns the files of a certificate of the same authority
// that a client may show.
func (s *Server) ClientCertificate() (cert, key string) {
	return filepath.Join(s.dir, "client.pem"), filepath.Join(s.dir, "client.key")
}

func (s *Server) tlsSettings() map[string]string {
	return map[string]string{
		"tls-port":         strconv.Itoa(s.tlsPort),
		"tls-ca-cert-file": s.CAFile(),
		"tls-cert-file":    filepath.Join(s.dir, "server.pem"),
		"tls-key-file":     filepath.Join(s.dir, "server.key"),
		"tls-auth-clients": "no",
	}
}

// certify makes an authority that lives as long as the server, and what it
// issues.
func (s *Server) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	authority := template("throw-away authority")
	authority.IsCA, authority.BasicConstraintsValid = true, true
	authority.KeyUsage = x509.KeyUsageCertSign
	if err := s.issue("ca", authority, authority, key, key); err != nil {
		return err
	}
	server := template(TLSName)
	server.IPAddresses, server.DNSNames = []net.IP{net.ParseIP(s.address)}, []string{TLSName}
	for name, t := range map[string]*x509.Certificate{"server": server, "client": template("client")} {
		own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return fmt.Errorf("make key: %w", err)
		}
		if err := s.issue(name, t, authority, own, key); err != nil {
			return err
		}
	}
	return nil
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

// issue signs a certificate and writes it with its key into the server's
// directory.
func (s *Server) issue(name string, t, parent *x509.Certificate, own, signer *ecdsa.PrivateKey) error {
	cert, err := x509.CreateCertificate(rand.Reader, t, parent, &own.PublicKey, signer)
	if err != nil {
		return fmt.Errorf("sign certificate: %w", err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		return fmt.Errorf("encode key: %w", err)
	}
	base := filepath.Join(s.dir, name)
	if err := testserver.WriteFile(base+".key", pemText("PRIVATE KEY", key), s.cred); err != nil {
		return err
	}
	if err := testserver.WriteFile(base+".pem", pemText("CERTIFICATE", cert), s.cred); err != nil {
		return err
	}
	if err := os.Chmod(base+".pem", 0o644); err != nil {
		return fmt.Errorf("publish certificate: %w", err)
	}
	return nil
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
