package simulator

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// answer is the reply of a source to a request.
type answer struct {
	status      int
	contentType string
	body        []byte
}

func (a answer) writeTo(w http.ResponseWriter) {
	a.writeHeadTo(w)
	w.Write(a.body)
}

// writeHeadTo writes the status and the headers.
func (a answer) writeHeadTo(w http.ResponseWriter) {
	if a.contentType != "" {
		w.Header().Set("Content-Type", a.contentType)
	}
	if a.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
}

func textAnswer(status int, text string) answer {
	return answer{status, "text/plain; charset=utf-8", []byte(text)}
}

func htmlAnswer(status int, body string) answer {
	return answer{status, "text/html;charset=UTF-8", []byte("<html><body>" + body + "</body></html>")}
}

func xmlAnswer(status int, document []byte) answer {
	return answer{status, "text/xml", document}
}

// rteError is the body of RTE's errors.
func rteError(status int, code, description string) answer {
	return jsonAnswer(status, map[string]any{"error": code, "error_description": description})
}

func jsonAnswer(status int, fields map[string]any) answer {
	body, err := json.Marshal(fields)
	if err != nil {
		return textAnswer(http.StatusInternalServerError, err.Error())
	}
	return answer{status, "application/json", body}
}
