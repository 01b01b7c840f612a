# docker build -t courant . ; see docs/deploy.md for running it.
FROM golang:1.26 AS build
WORKDIR /courant
COPY . .
RUN make courant && mkdir -m 700 /empty

# Only the program, the certificate authorities it trusts, and a folder for its data.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /courant/courant /courant
COPY --from=build --chown=65532:65532 /empty /data
USER 65532:65532
WORKDIR /data
VOLUME /data
ENV COURANT_SERVER_ADDR=:8080
EXPOSE 8080
ENTRYPOINT ["/courant"]
CMD ["serve"]
