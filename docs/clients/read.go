//go:build ignore

// This program reads every GET route of the API with the client that oapi-codegen makes, and compares what the client has
// with the bytes of the answer: every value, with full precision, and every null.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"

	"clients/courant"
)

// parameters are the values of path and query parameters, by the name of the field or, in paths, of the type.
var parameters = map[string]string{
	"From": os.Getenv("COURANT_DATE"), "To": os.Getenv("COURANT_DATE"), "Date": os.Getenv("COURANT_DATE"),
	"Dataset": "afrr-energy", "Language": "en", "string": os.Getenv("COURANT_DATE")[:7], // the month of an archive
}

func main() {
	client, err := courant.NewClientWithResponses(os.Getenv("COURANT_URL"), courant.WithRequestEditorFn(
		func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+os.Getenv("COURANT_TOKEN"))
			return nil
		}))
	check(err)
	failed := false
	for i := range reflect.TypeOf(client).NumMethod() {
		method := reflect.TypeOf(client).Method(i)
		isRead := strings.HasPrefix(method.Name, "GetApi") || strings.HasPrefix(method.Name, "GetCsv") ||
			strings.HasPrefix(method.Name, "GetLlms") || strings.HasSuffix(method.Name, "zWithResponse") || strings.HasPrefix(method.Name, "GetMetrics")
		if !isRead || !strings.HasSuffix(method.Name, "WithResponse") || method.Name == "GetApiStreamWithResponse" { // a stream does not end
			continue
		}
		if strings.HasPrefix(method.Name, "GetApiWebhooks") { // another token opens these
			continue
		}
		forms := []map[string]string{{}}
		if strings.Contains(method.Name, "RowsWithResponse") {
			forms = []map[string]string{
				{}, {"Format": "columns"}, {"Resolution": "PT1H", "Stat": "mean,min,max,sum,count,share"}, {"Tz": "Europe/Paris"},
				{"Columns": "updated_at,source,period_start_unix"}, {"Format": "csv"},
			}
		}
		for _, form := range forms {
			values, nulls, err := read(reflect.ValueOf(client).Method(i), form)
			if err != nil {
				failed = true
				fmt.Println("FAILED", method.Name, form, err)
				continue
			}
			fmt.Printf("%-40s %-60s %7d values %6d nulls\n", strings.TrimSuffix(method.Name, "WithResponse"), fmt.Sprint(form), values, nulls)
		}
	}
	if failed {
		os.Exit(1)
	}
}

// read calls a method of the client and counts the values and nulls that the client has as the answer has them.
func read(call reflect.Value, form map[string]string) (values, nulls int, err error) {
	arguments := []reflect.Value{reflect.ValueOf(context.Background())}
	for i := 1; i < call.Type().NumIn()-1; i++ {
		of := call.Type().In(i)
		argument := reflect.New(of).Elem()
		if of.Kind() == reflect.Pointer {
			argument = reflect.New(of.Elem())
			isRows := argument.Elem().FieldByName("Resolution").IsValid()
			for j := range of.Elem().NumField() {
				name := of.Elem().Field(j).Name
				text, given := form[name]
				if !given && !isRows || name == "Date" {
					text = parameters[name]
				}
				if text != "" {
					set(argument.Elem().Field(j), text)
				}
			}
		} else {
			for name, text := range parameters {
				if strings.HasSuffix(of.Name(), name) {
					argument.SetString(text)
				}
			}
		}
		arguments = append(arguments, argument)
	}
	results := call.Call(arguments)
	if err, is := results[1].Interface().(error); is {
		return 0, 0, err
	}
	answer := results[0].Elem()
	body := answer.FieldByName("Body").Bytes()
	if status := answer.FieldByName("HTTPResponse").Elem().FieldByName("StatusCode").Int(); status != 200 {
		return 0, 0, fmt.Errorf("status %d: %s", status, body)
	}
	typed := answer.FieldByName("JSON200")
	if !typed.IsValid() || typed.IsNil() {
		if mediaType := answer.FieldByName("HTTPResponse").Interface().(*http.Response).Header.Get("Content-Type"); mediaType == "application/json" {
			return 0, 0, fmt.Errorf("the client has not read the JSON")
		}
		return len(body), 0, nil // a text
	}
	again, err := json.Marshal(typed.Interface())
	if err != nil {
		return 0, 0, err
	}
	return compare("", decoded(body), decoded(again))
}

// set sets a field of parameters: a text or a date.
func set(field reflect.Value, text string) {
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	if field.Kind() == reflect.Struct {
		check(json.Unmarshal([]byte(`"`+text+`"`), field.Addr().Interface()))
		return
	}
	field.SetString(text)
}

// compare compares an answer with what the client has of it. A null and an absent member are the same in Go.
func compare(path string, want, got any) (values, nulls int, err error) {
	add := func(path string, want, got any) {
		v, n, e := compare(path, want, got)
		values, nulls = values+v, nulls+n
		if err == nil {
			err = e
		}
	}
	switch w := want.(type) {
	case nil:
		if got != nil {
			err = fmt.Errorf("%s is null, the client has %v", path, got)
		}
		return 0, 1, err
	case map[string]any:
		g, is := got.(map[string]any)
		if !is {
			return 0, 0, fmt.Errorf("%s: the client has %v", path, got)
		}
		for name, member := range w {
			add(path+"/"+name, member, g[name])
		}
	case []any:
		g, is := got.([]any)
		if !is || len(g) != len(w) {
			return 0, 0, fmt.Errorf("%s: the client has another list", path)
		}
		for i := range w {
			add(fmt.Sprintf("%s/%d", path, i), w[i], g[i])
		}
	default:
		return 1, 0, same(path, want, got)
	}
	return values, nulls, err
}

func same(path string, want, got any) error {
	if fmt.Sprint(want) == fmt.Sprint(got) {
		return nil
	}
	a, errA := time.Parse(time.RFC3339, fmt.Sprint(want))
	b, errB := time.Parse(time.RFC3339, fmt.Sprint(got))
	if errA == nil && errB == nil && a.Equal(b) {
		return nil
	}
	return fmt.Errorf("%s is %v, the client has %v", path, want, got)
}

func decoded(text []byte) (value any) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	check(decoder.Decode(&value))
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
