# SPDX-License-Identifier: Apache-2.0
# The static binary alone: it carries its own CA roots and its own web pages, so
# nothing is pulled. "make image" builds the binary first.
FROM scratch
COPY bin/bindery /bindery
USER 65534:65534
EXPOSE 8470
ENTRYPOINT ["/bindery"]
CMD ["serve", "--config", "/etc/bindery/controller.yaml"]
