package api

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// shorten returns indented JSON with at most so many items of each array. The order of keys stays.
func shorten(text []byte, most int) (string, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var out bytes.Buffer
	if err := shortenValue(decoder, &out, most); err != nil {
		return "", fmt.Errorf("api: shorten an answer: %w", err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, out.Bytes(), "", "  "); err != nil {
		return "", fmt.Errorf("api: shorten an answer: %w", err)
	}
	return indented.String(), nil
}

// shortenValue copies the next value of the decoder.
func shortenValue(decoder *json.Decoder, out *bytes.Buffer, most int) error {
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	delimiter, nested := token.(json.Delim)
	if !nested {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(token)
	}
	out.WriteString(delimiter.String())
	for n := 0; decoder.More(); n++ {
		into := out
		if delimiter == '[' && n >= most {
			into = new(bytes.Buffer) // read and drop
		} else if n > 0 {
			into.WriteByte(',')
		}
		if delimiter == '{' {
			if err := shortenValue(decoder, into, most); err != nil {
				return err
			}
			into.WriteByte(':')
		}
		if err := shortenValue(decoder, into, most); err != nil {
			return err
		}
	}
	end, err := decoder.Token()
	if err != nil {
		return err
	}
	out.WriteString(end.(json.Delim).String())
	return nil
}
