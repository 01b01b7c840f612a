package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"courant/auth"
	"courant/web"
)

// The most answers of tools at a time, up to some 2 MB each: to one account, and in all.
const (
	toolAnswersOfAccount = 4
	toolAnswers          = 24
)

var problemForeignHost = problemForbidden.withDetail(
	"L’en-tête Host nomme une autre machine ; utilisez l’adresse publique, et configurez le serveur mandataire pour qu’il la transmette dans Host.",
	"The Host header names another machine; use the public address, and configure the proxy to pass it on in Host.")

// toolRequest is a POST of the Model Context Protocol. A batch calls several tools.
type toolRequest struct {
	ctx        context.Context // ends when the client goes away, unlike the context that the SDK gives a tool
	identity   auth.Identity
	id, client string // for the log; a call may end after the request, when Echo uses its context for another

	mu    sync.Mutex // calls of a batch run one after the other
	calls int
}

// toolRequestKey is the key of the toolRequest in the context of a request.
type toolRequestKey struct{}

// newMCP returns the handler of the Model Context Protocol.
func (s *Server) newMCP() http.Handler {
	server := mcp.NewServer(&mcp.Implementation{Name: "courant", Title: "Courant", Version: web.Version()}, &mcp.ServerOptions{
		Instructions: web.Instructions() + " " + toolInstructions,
		Capabilities: &mcp.ServerCapabilities{Tools: &mcp.ToolCapabilities{}},
	})
	local := false
	for _, t := range tools() {
		server.AddTool(&mcp.Tool{
			Name: t.name, Title: t.title, Description: t.description, InputSchema: t.inputSchema(), OutputSchema: web.Schema(t.output),
			Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true, OpenWorldHint: &local},
		}, func(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return s.callTool(ctx, t, r.Params.Arguments)
		})
	}
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{
		Stateless: true, JSONResponse: true, DisableLocalhostProtection: true, // checkSite knows the public address
		MaxRequestBodyBytes: maxRequestBytes,
	})
}

// serveMCP answers a request of the Model Context Protocol with a token.
func (s *Server) serveMCP(c echo.Context) error {
	request := c.Request()
	if err := s.checkSite(request); err != nil {
		return err
	}
	if _, given := request.Header["Authorization"]; !given {
		return problemUnauthenticated
	}
	identity, err := s.reader(c)
	if err != nil {
		return err
	}
	if !s.toolAnswers.add(identity.AccountID, 1) {
		return problemTooManyAnswers
	}
	defer s.toolAnswers.remove(identity.AccountID, 1)
	c.Response().Header().Set("Cache-Control", "no-store")
	call := &toolRequest{ctx: request.Context(), identity: identity, id: requestID(c), client: c.RealIP()}
	s.mcp.ServeHTTP(c.Response(), request.WithContext(context.WithValue(request.Context(), toolRequestKey{}, call)))
	return nil
}

// checkSite refuses what a page of another site may have sent through a browser: a request with the Origin of that site, or
// with a Host that the site let point to this machine.
func (s *Server) checkSite(r *http.Request) error {
	if !s.isOwnHost(r) {
		return problemForeignHost
	}
	for _, origin := range r.Header["Origin"] {
		_, host, _ := strings.Cut(origin, "://")
		if origin != originOf(s.publicURL) && !strings.EqualFold(host, r.Host) {
			return problemCrossOrigin
		}
	}
	return nil
}

// isOwnHost reports whether the Host of a request is the public address, an IP address or localhost. Without a public
// address any name is, but not on the loopback.
func (s *Server) isOwnHost(r *http.Request) bool {
	name := hostName(r.Host)
	if isLoopbackHost(r.Host) || net.ParseIP(name) != nil {
		return true
	}
	if s.publicURL != "" {
		_, public, _ := strings.Cut(s.publicURL, "://")
		return strings.EqualFold(name, hostName(public))
	}
	local, is := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return !is || !isLoopbackHost(local.String())
}

// hostName returns the host of an address without its port.
func hostName(address string) string {
	u := url.URL{Host: address}
	return strings.TrimSuffix(u.Hostname(), ".")
}

// callTool calls a tool. What the caller did wrong, or may not read, is an answer that the model sees.
func (s *Server) callTool(ctx context.Context, t tool, raw json.RawMessage) (result *mcp.CallToolResult, err error) {
	request := ctx.Value(toolRequestKey{}).(*toolRequest)
	request.mu.Lock()
	defer request.mu.Unlock()
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("tool panicked", "request", request.id, "tool", t.name, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			result, err = toolError(problemInternal), nil
		}
	}()
	if request.calls++; request.calls > 1 { // the request counted the first call
		if left, ok := s.limits.take(request.identity.TokenID); !ok {
			return toolError(problemRateLimited.retriedAfter(left.wait)), nil
		}
	}
	given, err := t.read(raw)
	var answer []byte
	if err == nil {
		answer, err = t.answer(s, request, given)
	}
	if err != nil {
		p := problemOf(err)
		if (p == problemInternal || p == problemLocked) && request.ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelError, "tool failed", slog.String("request", request.id),
				slog.String("client", request.client), slog.String("tool", t.name), slog.String("error", err.Error()))
		}
		return toolError(p), nil
	}
	return &mcp.CallToolResult{
		Content: []mcp.Content{&mcp.TextContent{Text: string(answer)}}, StructuredContent: json.RawMessage(answer),
	}, nil
}

// toolError returns a problem as the answer of a tool.
func toolError(p *problem) *mcp.CallToolResult {
	text := string(p.Code) + ": " + p.Detail.EN
	if p.retryAfter > 0 {
		text += fmt.Sprintf(" Try again after %.0f s.", max(1, p.retryAfter.Seconds()))
	}
	return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: text}}}
}

// read returns the arguments of a call as the parameters of a query: the members of a list with commas between them. A null
// stands for an argument that is absent.
func (t tool) read(raw json.RawMessage) (url.Values, error) {
	arguments := map[string]any{}
	if len(raw) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		if err := decoder.Decode(&arguments); err != nil {
			return nil, toolProblem("The arguments must be an object.")
		}
	}
	given := url.Values{}
	for name, value := range arguments {
		at := slices.IndexFunc(t.parameters, func(p toolParameter) bool { return p.name == name })
		if at < 0 {
			var names []string
			for _, p := range t.parameters {
				names = append(names, p.name)
			}
			return nil, toolProblem("“%s” is not an argument of %s; there are: %s.", visible(name), t.name, strings.Join(names, ", "))
		}
		var texts []string
		members, isList := value.([]any)
		if !isList && value != nil {
			members = []any{value}
		}
		for _, member := range members {
			switch v := member.(type) {
			case string:
				texts = append(texts, v)
			case json.Number:
				texts = append(texts, v.String())
			default:
				return nil, toolProblem("“%s” accepts: %s", name, t.parameters[at].description)
			}
		}
		if isList && t.parameters[at].kind != "array" {
			return nil, toolProblem("“%s” is no list; it accepts: %s", name, t.parameters[at].description)
		}
		if len(texts) > 0 {
			given.Set(name, strings.Join(texts, ","))
		}
	}
	for _, p := range t.parameters {
		if p.isRequired && given.Get(p.name) == "" {
			return nil, toolProblem("“%s” is missing; it accepts: %s", p.name, p.description)
		}
	}
	return given, nil
}

// toolProblem is the problem with the arguments of a call. Models read it, so it is in English only.
func toolProblem(format string, arguments ...any) *problem {
	text := fmt.Sprintf(format, arguments...)
	return problemInvalidParameter.withDetail(text, text)
}
