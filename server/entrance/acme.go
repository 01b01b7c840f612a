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
	// strictTransport has browsers use HTTPS alone for a year. It says nothing of other names under the domain.
	strictTransport = "max-age=31536000"
	// certificateTimeout is how long the first certificate may take before the log says that there is none yet.
	certificateTimeout = time.Minute
)

// Front serves a domain: by HTTPS, with a certificate that it gets and renews itself, and by HTTP, where it answers the certificate
// authority's challenges and redirects browsers to HTTPS.
type Front struct {
	Domain       string
	log          *slog.Logger
	certificates *autocert.Manager
	HTTPS, HTTP  net.Listener
	Redirect     *http.Server // is to be served at HTTP
	TLS          *tls.Config  // of what is to be served at HTTPS
}

// Options says which certificate is got and where it is shown.
type Options struct {
	Domain              string       // in lower case
	CacheDir            string       // where certificates are kept
	HTTPSAddr, HTTPAddr string       // in place of :443 and :80
	Authority           *acme.Client // in place of Let's Encrypt
	UserAgent           string       // of calls to Let's Encrypt
}

// Open takes the ports.
func Open(cfg Options, entrance Limits, log *slog.Logger) (*Front, error) {
	f := &Front{Domain: cfg.Domain, log: log, certificates: &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(cfg.CacheDir), HostPolicy: autocert.HostWhitelist(cfg.Domain), Client: cfg.Authority,
	}}
	if f.certificates.Client == nil {
		f.certificates.Client = &acme.Client{DirectoryURL: autocert.DefaultACMEDirectory, UserAgent: cfg.UserAgent}
	}
	f.TLS = f.certificates.TLSConfig()
	f.TLS.MinVersion = tls.VersionTLS12
	f.TLS.GetCertificate = f.certificate()
	f.Redirect = entrance.Server(f.certificates.HTTPHandler(http.HandlerFunc(f.toHTTPS)), log)
	var err error
	if f.HTTPS, err = listen(cmp.Or(cfg.HTTPSAddr, ":443"), true); err != nil {
		return nil, err
	}
	if f.HTTP, err = listen(cmp.Or(cfg.HTTPAddr, ":80"), true); err != nil {
		return nil, errors.Join(err, f.HTTPS.Close())
	}
	return f, nil
}

// Close closes the ports, where whoever serves them has not.
func (f *Front) Close() {
	f.HTTPS.Close()
	f.HTTP.Close()
}

// certificate is the authority's, and tells the log once a minute at most why there is none for the domain.
func (f *Front) certificate() func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	told := rate.Sometimes{Interval: time.Minute}
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		certificate, err := f.certificates.GetCertificate(hello)
		if err != nil && strings.EqualFold(hello.ServerName, f.Domain) {
			told.Do(func() {
				f.log.Error("no certificate: the name has to lead here, and ports 80 and 443 have to be reached from the Internet",
					"domain", f.Domain, "error", err.Error())
			})
		}
		return certificate, err
	}
}

// toHTTPS sends what asks for the domain there, and nothing anywhere else.
func (f *Front) toHTTPS(w http.ResponseWriter, r *http.Request) {
	if !f.isAsked(r) {
		misdirected(w)
		return
	}
	bare(w)
	w.Header().Set("Connection", "close")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "use https://"+f.Domain, http.StatusBadRequest) // so that nobody goes on sending secrets in the open
		return
	}
	http.Redirect(w, r, "https://"+f.Domain+r.URL.RequestURI(), http.StatusPermanentRedirect)
}

// isAsked says whether a request names the domain, on whatever port.
func (f *Front) isAsked(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.EqualFold(host, f.Domain)
}

func misdirected(w http.ResponseWriter) {
	bare(w)
	http.Error(w, http.StatusText(http.StatusMisdirectedRequest), http.StatusMisdirectedRequest)
}

// bare has a browser load nothing for an answer, and not guess what it is.
func bare(w http.ResponseWriter) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}

// Protect is next for what came by TLS and asks for the domain, and has browsers stay with TLS. What came without is
// next's alone.
func (f *Front) Protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil {
			if !f.isAsked(r) {
				misdirected(w)
				return
			}
			w.Header().Set("Strict-Transport-Security", strictTransport)
		}
		next.ServeHTTP(w, r)
	})
}

// GreetItself makes the first connection, so that the certificate is there before the first visitor; ctx ends it.
func (f *Front) GreetItself(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, certificateTimeout)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{ServerName: f.Domain, InsecureSkipVerify: true}} // it is shown, not trusted
	conn, err := dialer.DialContext(ctx, "tcp", f.HTTPS.Addr().String())
	if err != nil {
		return // certificate tells why
	}
	defer conn.Close()
	if shown := conn.(*tls.Conn).ConnectionState().PeerCertificates; len(shown) > 0 {
		f.log.Info("certificate in place", "domain", f.Domain, "until", shown[0].NotAfter.UTC().Format(time.RFC3339))
	}
}
