package entrance

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
	"golang.org/x/time/rate"
)

const (
	// strictTransport makes browsers use HTTPS only, for a year. It does not cover subdomains.
	strictTransport = "max-age=31536000"
	// certificateTimeout is how long the process waits for the first certificate before it stops looking for it.
	certificateTimeout = time.Minute
)

// Front serves a domain: by HTTPS, with a certificate that it gets and renews itself, and by HTTP, where it answers the certificate
// authority's challenges and redirects browsers to HTTPS.
type Front struct {
	Domain       string
	log          *slog.Logger
	certificates *autocert.Manager
	HTTPS, HTTP  net.Listener
	Redirect     *http.Server // the server for the listener HTTP
	TLS          *tls.Config  // for the listener HTTPS
}

// Options names the domain of a Front and where its certificate comes from.
type Options struct {
	Domain              string       // in lower case
	CacheDir            string       // where certificates are stored
	HTTPSAddr, HTTPAddr string       // in place of :443 and :80
	Authority           *acme.Client // in place of Let's Encrypt
	UserAgent           string       // in requests to Let's Encrypt
}

// Open opens the ports of HTTPS and HTTP, both or none. Its error is a *PortError.
func Open(cfg Options, limits Limits, log *slog.Logger) (*Front, error) {
	f := &Front{Domain: cfg.Domain, log: log, certificates: &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(cfg.CacheDir), HostPolicy: autocert.HostWhitelist(cfg.Domain), Client: cfg.Authority,
	}}
	if f.certificates.Client == nil {
		f.certificates.Client = &acme.Client{DirectoryURL: autocert.DefaultACMEDirectory, UserAgent: cfg.UserAgent}
	}
	f.TLS = f.certificates.TLSConfig()
	f.TLS.MinVersion = tls.VersionTLS12
	f.TLS.GetCertificate = f.certificate()
	f.Redirect = limits.Server(f.certificates.HTTPHandler(http.HandlerFunc(f.redirectToHTTPS)), log)
	var err error
	if f.HTTPS, err = listen(cmp.Or(cfg.HTTPSAddr, ":443"), true); err != nil {
		return nil, err
	}
	if f.HTTP, err = listen(cmp.Or(cfg.HTTPAddr, ":80"), true); err != nil {
		return nil, errors.Join(err, f.HTTPS.Close())
	}
	return f, nil
}

// Close closes the ports; a server that has closed one of them already does no harm.
func (f *Front) Close() {
	f.HTTPS.Close()
	f.HTTP.Close()
}

// certificate returns the function that finds or obtains a certificate for a handshake. At most once a minute it logs why there is
// none for the domain.
func (f *Front) certificate() func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	logged := rate.Sometimes{Interval: time.Minute}
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		certificate, err := f.certificates.GetCertificate(hello)
		if err != nil && strings.EqualFold(hello.ServerName, f.Domain) {
			logged.Do(func() {
				f.log.Error("no certificate: the domain must point to this machine, and ports 80 and 443 must be reachable from the Internet",
					"domain", f.Domain, "error", err.Error())
			})
		}
		return certificate, err
	}
}

// redirectToHTTPS redirects requests for the domain to HTTPS, and refuses requests for other hosts.
func (f *Front) redirectToHTTPS(w http.ResponseWriter, r *http.Request) {
	if !f.isForDomain(r) {
		misdirected(w)
		return
	}
	lockDown(w)
	w.Header().Set("Connection", "close")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "use https://"+f.Domain, http.StatusBadRequest) // so that no client goes on sending secrets unencrypted
		return
	}
	http.Redirect(w, r, "https://"+f.Domain+r.URL.RequestURI(), http.StatusPermanentRedirect)
}

// isForDomain reports whether a request names the domain, on any port.
func (f *Front) isForDomain(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.EqualFold(host, f.Domain)
}

func misdirected(w http.ResponseWriter) {
	lockDown(w)
	http.Error(w, http.StatusText(http.StatusMisdirectedRequest), http.StatusMisdirectedRequest)
}

// lockDown sets headers that stop browsers from loading anything for an answer and from guessing its type.
func lockDown(w http.ResponseWriter) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}

// Protect adds HSTS to answers over TLS and refuses requests for other hosts there with 421. Requests without TLS pass through to next.
func (f *Front) Protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil {
			if !f.isForDomain(r) {
				misdirected(w)
				return
			}
			w.Header().Set("Strict-Transport-Security", strictTransport)
		}
		next.ServeHTTP(w, r)
	})
}

// ObtainCertificate connects to the HTTPS port, so that the certificate is obtained before the first visitor comes. It gives up when ctx
// ends, or after a minute.
func (f *Front) ObtainCertificate(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, certificateTimeout)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{ServerName: f.Domain, InsecureSkipVerify: true}} // the certificate is looked at, not trusted
	conn, err := dialer.DialContext(ctx, "tcp", f.HTTPS.Addr().String())
	if err != nil {
		return // certificate has logged why
	}
	defer conn.Close()
	if served := conn.(*tls.Conn).ConnectionState().PeerCertificates; len(served) > 0 {
		f.log.Info("certificate in place", "domain", f.Domain, "until", served[0].NotAfter.UTC().Format(time.RFC3339))
	}
}
